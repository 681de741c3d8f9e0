// What is gathered from all databases.
#include "messages/entry_id.hpp"
#include "messages/limits.hpp"
#include "storage/gathering.hpp"
#include "storage/many_stores.hpp"
#include "storage/merging.hpp"
#include "storage/rows.hpp"

#include <memory>

namespace holdfast::storage {

namespace {

/// Says of a failure whose it is.
template <class T>
callback<T> named(shard_range range, callback<T> done) {
  return [range, done = std::move(done)](expected<T> answer) {
    if (answer)
      return done(std::move(answer));
    done(make_error(answer.error().code,
                    "the database of shards " + text_of(range) + ": " + answer.error().detail));
  };
}

template <class T>
std::vector<T> concatenate_by_id(std::vector<std::vector<T>> parts) {
  auto all = concatenate(std::move(parts));
  std::ranges::sort(all, {}, &T::id);
  return all;
}

/// Lists that begin with the newest, whose ids are the greatest.
template <class T>
auto newest_first(std::uint32_t limit) {
  return [limit](std::vector<slice<T>> parts) {
    return merge_pages(std::move(parts), limit,
                       [](const T& one, const T& other) { return one.id > other.id; });
  };
}

/// Answers with the first that is there, or with the last failure.
class first_answer {
public:
  first_answer(std::size_t parts, callback<bool> done)
    : missing_(parts),
      done_(std::move(done)) {}

  void take(const expected<bool>& answer) {
    {
      const std::scoped_lock lock{mutex_};
      --missing_;
      if (answered_ || (!answer && missing_ > 0))
        return;
      answered_ = true;
    }
    done_(answer);
  }

private:
  std::mutex mutex_;
  std::size_t missing_;
  bool answered_ = false;
  const callback<bool> done_;
};

/// Goes through the logs of all shards, database by database, until the window is full.
class export_walk : public std::enable_shared_from_this<export_walk> {
public:
  export_walk(shard_layout layout, std::vector<store*> parts, std::uint32_t limit,
              callback<slice<entry_view>> done)
    : layout_(std::move(layout)),
      parts_(std::move(parts)),
      limit_(limit),
      done_(std::move(done)) {}

  void go_on(std::size_t database, const std::string& after) {
    if (database == parts_.size())
      return done_(std::move(whole_));
    // Of a window that is full already it is only asked whether there is more.
    const auto wanted = limit_ - static_cast<std::uint32_t>(whole_.rows.size());
    parts_[database]->export_entries(
      std::nullopt, {std::max(wanted, 1U), after},
      named<slice<entry_view>>(layout_.ranges()[database],
                               [self = shared_from_this(), database](auto part) {
                                 self->take(database, std::move(part));
                               }));
  }

private:
  void take(std::size_t database, expected<slice<entry_view>> part) {
    if (!part)
      return done_(part.error());
    const bool was_full = whole_.rows.size() == limit_;
    whole_.has_more = part->has_more || (was_full && !part->rows.empty());
    if (!was_full)
      std::ranges::move(part->rows, std::back_inserter(whole_.rows));
    if (whole_.has_more)
      return done_(std::move(whole_));
    go_on(database + 1, {});
  }

  const shard_layout layout_;
  const std::vector<store*> parts_;
  const std::uint32_t limit_;
  const callback<slice<entry_view>> done_;
  slice<entry_view> whole_;
};

/// Proves one database after the other, for each proof reads all that there is.
class proof_walk : public std::enable_shared_from_this<proof_walk> {
public:
  proof_walk(shard_layout layout, std::vector<store*> parts, store::payment_fold fold,
             std::function<void(double)> progress, callback<ledger_proof> done)
    : layout_(std::move(layout)),
      parts_(std::move(parts)),
      fold_(std::move(fold)),
      progress_(std::move(progress)),
      done_(std::move(done)) {}

  void go_on() {
    const auto database = proofs_.size();
    if (database == parts_.size())
      return done_(merge_proofs(layout_.ranges(), proofs_));
    const auto progress = [self = shared_from_this(), database](double fraction) {
      if (self->progress_)
        self->progress_((static_cast<double>(database) + fraction)
                        / static_cast<double>(self->parts_.size()));
    };
    parts_[database]->verify_ledger(
      fold_, progress,
      named<ledger_proof>(layout_.ranges()[database],
                          [self = shared_from_this()](expected<ledger_proof> proof) {
                            if (!proof)
                              return self->done_(proof.error());
                            self->proofs_.push_back(std::move(*proof));
                            self->go_on();
                          }));
  }

private:
  const shard_layout layout_;
  const std::vector<store*> parts_;
  const store::payment_fold fold_;
  const std::function<void(double)> progress_;
  const callback<ledger_proof> done_;
  std::vector<ledger_proof> proofs_;
};

} // namespace

/// `ask(store, callback<Part>)` of each database.
template <class Part, class Whole, class Ask, class Merge>
void many_stores::gather_all(Ask ask, callback<Whole> done, Merge merge) {
  gather<Part, Whole>(
    parts_.size(),
    [&](std::size_t i, callback<Part> part) {
      ask(*parts_[i], named<Part>(layout_.ranges()[i], std::move(part)));
    },
    std::move(done), std::move(merge));
}

void many_stores::ping(callback<bool> done) {
  const auto answer = std::make_shared<first_answer>(parts_.size(), std::move(done));
  for (auto* part : parts_)
    part->ping([answer](const expected<bool>& one) { answer->take(one); });
}

// -- merchants and keys -----------------------------------------------------------------------

void many_stores::list_merchants(callback<std::vector<merchant_row>> done) {
  using rows = std::vector<merchant_row>;
  gather_all<rows, rows>(
    [](store& part, callback<rows> one) { part.list_merchants(std::move(one)); },
    std::move(done), concatenate_by_id<merchant_row>);
}

void many_stores::list_keys(std::optional<merchant_id> merchant,
                            callback<std::vector<api_key_row>> done) {
  using rows = std::vector<api_key_row>;
  if (merchant) {
    if (auto* part = of(merchant->shard()))
      return part->list_keys(merchant, std::move(done));
    return done(rows{});
  }
  gather_all<rows, rows>(
    [](store& part, callback<rows> one) { part.list_keys(std::nullopt, std::move(one)); },
    std::move(done), concatenate_by_id<api_key_row>);
}

// -- lists ------------------------------------------------------------------------------------

void many_stores::list_batches(std::optional<merchant_id> merchant, page window,
                               callback<slice<batch_view>> done) {
  using rows = slice<batch_view>;
  if (merchant) {
    if (auto* part = of(merchant->shard()))
      return part->list_batches(merchant, std::move(window), std::move(done));
    return done(rows{});
  }
  gather_all<rows, rows>(
    [&](store& part, callback<rows> one) {
      part.list_batches(std::nullopt, window, std::move(one));
    },
    std::move(done), newest_first<batch_view>(window_limit(window)));
}

/// Of a merchant too: what is nobody's payment may have been found in any shard.
void many_stores::list_exceptions(exception_filter filter,
                                  callback<slice<exception_view>> done) {
  using rows = slice<exception_view>;
  gather_all<rows, rows>(
    [&](store& part, callback<rows> one) { part.list_exceptions(filter, std::move(one)); },
    std::move(done), newest_first<exception_view>(window_limit(filter.window)));
}

void many_stores::list_dead_letters(std::string status, page window,
                                    callback<slice<dead_letter_view>> done) {
  using rows = slice<dead_letter_view>;
  gather_all<rows, rows>(
    [&](store& part, callback<rows> one) {
      part.list_dead_letters(status, window, std::move(one));
    },
    std::move(done), newest_first<dead_letter_view>(window_limit(window)));
}

void many_stores::export_entries(std::optional<merchant_id> merchant, page window,
                                 callback<slice<entry_view>> done) {
  if (merchant) {
    if (auto* part = of(merchant->shard()))
      return part->export_entries(merchant, std::move(window), std::move(done));
    return done(slice<entry_view>{});
  }
  std::size_t database = 0;
  if (!window.starting_after.empty()) {
    const auto after = entry_id::parse(window.starting_after);
    if (!after)
      return done(after.error());
    if (after->shard.value >= layout_.count())
      return done(slice<entry_view>{});
    database = layout_.database_of(after->shard);
  }
  const auto limit = std::clamp(window.limit, 1U, limits::export_rows_max);
  std::make_shared<export_walk>(layout_, parts_, limit, std::move(done))
    ->go_on(database, window.starting_after);
}

// -- sums -------------------------------------------------------------------------------------

void many_stores::all_balances(callback<std::vector<balance_view>> done) {
  using rows = std::vector<balance_view>;
  gather_all<rows, rows>(
    [](store& part, callback<rows> one) { part.all_balances(std::move(one)); }, std::move(done),
    [](std::vector<rows> parts) { return merge_balances(concatenate(std::move(parts))); });
}

void many_stores::count_by_status(callback<std::vector<status_count>> done) {
  using rows = std::vector<status_count>;
  gather_all<rows, rows>(
    [](store& part, callback<rows> one) { part.count_by_status(std::move(one)); },
    std::move(done),
    [](std::vector<rows> parts) { return merge_counts(concatenate(std::move(parts))); });
}

void many_stores::make_statement(callback<statement> done) {
  gather_all<statement, statement>(
    [](store& part, callback<statement> one) { part.make_statement(std::move(one)); },
    std::move(done), merge_statements);
}

void many_stores::verify_ledger(payment_fold fold, std::function<void(double)> progress,
                                callback<ledger_proof> done) {
  std::make_shared<proof_walk>(layout_, parts_, std::move(fold), std::move(progress),
                               std::move(done))
    ->go_on();
}

} // namespace holdfast::storage
