#include "storage/database.hpp"

#include "messages/limits.hpp"
#include "storage/journal_writer.hpp"
#include "storage/many_databases.hpp"
#include "storage/postgres_leases.hpp"
#include "storage/postgres_store.hpp"
#include "storage/schema.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

namespace holdfast::storage {

namespace {

database_identity identity_of(const database_options& options) {
  return {options.cluster, options.shards, options.range};
}

class postgres_database final : public database {
public:
  /// The options have marks.
  explicit postgres_database(database_options options)
    : options_(std::move(options)),
      journal_(std::make_shared<journal_writer>(
        journal_options{options_.url, options_.node, identity_of(options_), options_.marks,
                        turns_, timeline_})),
      readers_({options_.url, options_.node, options_.readers, identity_of(options_), turns_,
                timeline_}),
      store_(readers_),
      settlement_(readers_) {}

  // Nobody listens for lost shards any more once the database goes.
  ~postgres_database() override { journal_->on_shard_lost({}); }

  class journal& journal() override {
    return *journal_;
  }
  class store& store() override {
    return store_;
  }
  settlement_store& settlement() override { return settlement_; }
  journal_figures figures() const override { return journal_->figures(); }

  void observe_commits(commit_observer observer) override {
    journal_->observe_commits(std::move(observer));
  }

  std::vector<shard_number> behind() const override {
    std::vector<shard_number> found;
    for (int at = options_.range.first.value; at <= options_.range.last.value; ++at)
      if (const shard_number shard{static_cast<std::uint16_t>(at)};
          options_.marks->is_behind(shard))
        found.push_back(shard);
    return found;
  }

  std::unique_ptr<lease_keeper> keep_leases(lease_events events) override {
    lease_options options;
    options.url = options_.url;
    options.identity = identity_of(options_);
    options.owner = options_.node;
    options.lease = options_.lease;
    options.writer_pid = [writer = journal_] { return writer->backend_pid(); };
    options.marks = options_.marks;
    options.timeline = timeline_;
    options.connected = [writer = journal_, turns = turns_] {
      ++*turns;
      writer->look_again();
    };
    // Shared with the journal, which may speak of a shard while the keeper goes.
    auto keeper =
      std::make_shared<postgres_lease_keeper>(std::move(options), std::move(events));
    journal_->on_shard_lost([listener = std::weak_ptr{keeper}](
                              shard_number shard, epoch_number epoch, const std::string&) {
      if (const auto alive = listener.lock())
        alive->journal_lost(shard, epoch);
    });
    return std::make_unique<shared_keeper>(std::move(keeper));
  }

private:
  /// The caller's handle on a keeper.
  class shared_keeper final : public lease_keeper {
  public:
    explicit shared_keeper(std::shared_ptr<postgres_lease_keeper> keeper) noexcept
      : keeper_(std::move(keeper)) {}
    ~shared_keeper() override { keeper_->stop(); }

    void want(std::vector<shard_number> shards) override { keeper_->want(std::move(shards)); }
    void want_singletons(std::vector<std::string> names) override {
      keeper_->want_singletons(std::move(names));
    }
    void released(shard_number shard, epoch_number epoch) override {
      keeper_->released(shard, epoch);
    }
    void reacquire(shard_number shard) override { keeper_->reacquire(shard); }
    void introduce(node_card card) override { keeper_->introduce(std::move(card)); }
    void look_again() override { keeper_->look_again(); }
    void pin(shard_range shards, std::string node,
             std::function<void(expected<void>)> done) override {
      keeper_->pin(shards, std::move(node), std::move(done));
    }
    void release_all() override { keeper_->release_all(); }
    cluster_view snapshot() const override { return keeper_->snapshot(); }

  private:
    std::shared_ptr<postgres_lease_keeper> keeper_;
  };

  const database_options options_;
  const std::shared_ptr<server_turns> turns_ = std::make_shared<server_turns>(0);
  const std::shared_ptr<server_timeline> timeline_ = std::make_shared<server_timeline>(0);
  std::shared_ptr<journal_writer> journal_;
  reader_pool readers_;
  postgres_store store_;
  postgres_settlement_store settlement_;
};

std::unique_ptr<database> make_database(database_options options) {
  if (options.marks == nullptr)
    options.marks = std::make_shared<sequence_marks>(options.shards);
  return std::make_unique<postgres_database>(std::move(options));
}

expected<void> check(const database_options& options) {
  if (options.node.empty())
    return make_error(errc::invalid_argument, "a node needs a name to own shards by");
  const auto deadline = std::chrono::steady_clock::now() + limits::connect_time_max;
  const auto db = connection::open(options.url, "check " + options.node, deadline);
  if (!db)
    return db.error();
  server_timeline first{0};
  return check_identity(**db, identity_of(options), schema_rule::same, first, deadline);
}

/// Whether the ranges make up all shards, each once.
expected<shard_layout> layout_of(const std::vector<database_options>& sorted) {
  std::vector<shard_range> ranges;
  std::uint32_t next = 0;
  for (const auto& options : sorted) {
    const auto [first, last] = options.range;
    if (first.value != next || last < first)
      return make_error(
        errc::invalid_argument,
        "the ranges of the databases have a gap or overlap at shard " + std::to_string(next));
    ranges.push_back(options.range);
    next = last.value + 1U;
  }
  if (sorted.empty() || next != sorted.front().shards)
    return make_error(errc::invalid_argument,
                      "the ranges of the databases end at shard " + std::to_string(next));
  return shard_layout{std::move(ranges)};
}

/// Looks at all at once, for one that doesn't answer takes its time. Errors: those of one that
/// isn't what the options say; unavailable when none can be reached.
expected<void> check_all(const std::vector<database_options>& all) {
  std::vector<std::future<expected<void>>> looks;
  for (const auto& options : all)
    looks.push_back(std::async(std::launch::async, [&options] { return check(options); }));
  std::vector<std::string> unreached;
  std::optional<error> wrong;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto fit = looks[i].get();
    if (fit)
      continue;
    const auto detail =
      "the database of shards " + text_of(all[i].range) + ": " + fit.error().detail;
    if (fit.error().code == errc::unavailable)
      unreached.push_back(detail);
    else if (!wrong)
      wrong = make_error(fit.error().code, detail);
  }
  if (wrong)
    return *wrong;
  if (unreached.size() == all.size())
    return make_error(errc::unavailable, unreached.front());
  for (const auto& detail : unreached)
    spdlog::warn("storage: {}. Its shards are served once it answers; the others are now.",
                 detail);
  return {};
}

} // namespace

expected<std::unique_ptr<database>> open_database(database_options options) {
  if (auto fit = check(options); !fit)
    return fit.error();
  return make_database(std::move(options));
}

expected<std::unique_ptr<database>> open_databases(std::vector<database_options> options) {
  std::ranges::sort(options, {}, [](const auto& one) { return one.range.first; });
  auto layout = layout_of(options);
  if (!layout)
    return layout.error();
  if (options.size() == 1)
    return open_database(std::move(options.front()));
  if (auto fit = check_all(options); !fit)
    return fit.error();
  std::vector<std::unique_ptr<database>> parts;
  for (auto& one : options)
    parts.push_back(make_database(std::move(one)));
  return join_databases(std::move(*layout), std::move(parts));
}

} // namespace holdfast::storage
