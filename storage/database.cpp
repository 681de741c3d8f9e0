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
  return {options.cluster, options.shards, options.range, options.cluster_id};
}

class postgres_database final : public database {
public:
  /// The options have marks, and the cluster's id.
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

  uuid cluster_id() const override { return options_.cluster_id; }
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

  void end_reads() override { readers_.stop(); }

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

expected<uuid> check(const database_options& options, milliseconds time_max) {
  if (options.node.empty())
    return make_error(errc::invalid_argument, "a node needs a name to own shards by");
  const auto deadline = std::chrono::steady_clock::now() + time_max;
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

struct reached_database {
  shard_range range; ///< that the database holds
  uuid cluster_id;
};

error of_other_cluster(const uuid& id, const reached_database& first) {
  return make_error(errc::invalid_argument, "it is one of a cluster whose id is " + to_hex(id)
                                              + ", and that of shards " + text_of(first.range)
                                              + " of one whose id is "
                                              + to_hex(first.cluster_id));
}

error about(const database_options& which, const error& what) {
  return make_error(what.code,
                    "the database of shards " + text_of(which.range) + ": " + what.detail);
}

/// Looks at all at once, and waits no longer than a lease: one that doesn't answer must not
/// keep the node from serving what lies in the others. The id of their cluster. Errors: those
/// of one that isn't what the options say; invalid_argument when they are of several clusters;
/// unavailable when none can be reached.
expected<uuid> check_all(const std::vector<database_options>& all) {
  std::vector<std::future<expected<uuid>>> looks;
  for (const auto& options : all)
    looks.push_back(std::async(std::launch::async, [&options] {
      return check(options, std::min(options.lease, limits::connect_time_max));
    }));
  std::vector<error> unreached;
  std::optional<error> wrong;
  std::optional<reached_database> first;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto found = looks[i].get();
    if (!found && found.error().code == errc::unavailable)
      unreached.push_back(about(all[i], found.error()));
    else if (wrong)
      continue; // One is enough.
    else if (!found)
      wrong = about(all[i], found.error());
    else if (!first)
      first = {all[i].range, *found};
    else if (*found != first->cluster_id)
      wrong = about(all[i], of_other_cluster(*found, *first));
  }
  if (wrong)
    return *wrong;
  if (!first)
    return unreached.front();
  for (const auto& [code, detail] : unreached)
    spdlog::warn("storage: {}. Its shards are served once it answers; the others are now.",
                 detail);
  return first->cluster_id;
}

} // namespace

expected<std::unique_ptr<database>> open_database(database_options options) {
  const auto id = check(options, limits::connect_time_max);
  if (!id)
    return id.error();
  options.cluster_id = *id;
  return make_database(std::move(options));
}

expected<std::unique_ptr<database>> open_databases(std::vector<database_options> options) {
  std::ranges::sort(options, {}, [](const auto& one) { return one.range.first; });
  auto layout = layout_of(options);
  if (!layout)
    return layout.error();
  if (options.size() == 1)
    return open_database(std::move(options.front()));
  const auto id = check_all(options);
  if (!id)
    return id.error();
  std::vector<std::unique_ptr<database>> parts;
  for (auto& one : options) {
    one.cluster_id = *id;
    parts.push_back(make_database(std::move(one)));
  }
  return join_databases(std::move(*layout), std::move(parts));
}

} // namespace holdfast::storage
