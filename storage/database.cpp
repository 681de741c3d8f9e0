#include "storage/database.hpp"

#include "messages/limits.hpp"
#include "storage/journal_writer.hpp"
#include "storage/postgres_leases.hpp"
#include "storage/postgres_store.hpp"
#include "storage/schema.hpp"

namespace holdfast::storage {

namespace {

class postgres_database final : public database {
public:
  explicit postgres_database(database_options options)
    : options_(std::move(options)),
      journal_(std::make_shared<journal_writer>(options_.url, options_.node)),
      readers_(options_.url, options_.node, options_.readers),
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

  std::unique_ptr<lease_keeper> keep_leases(lease_events events) override {
    lease_options options{options_.url, options_.node, options_.lease,
                          [writer = journal_] { return writer->backend_pid(); }};
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
    void reacquire(shard_number shard) override { keeper_->reacquire(shard); }
    void release_all() override { keeper_->release_all(); }
    std::vector<lease_row> snapshot() const override { return keeper_->snapshot(); }

  private:
    std::shared_ptr<postgres_lease_keeper> keeper_;
  };

  const database_options options_;
  std::shared_ptr<journal_writer> journal_;
  reader_pool readers_;
  postgres_store store_;
  postgres_settlement_store settlement_;
};

expected<void> check(const database_options& options) {
  const auto deadline = std::chrono::steady_clock::now() + limits::connect_time_max;
  const auto db = connection::open(options.url, "check " + options.node, deadline);
  if (!db)
    return db.error();
  if (auto known = check_schema(**db, deadline); !known)
    return known.error();
  return check_shard_count(**db, options.shards, deadline);
}

} // namespace

expected<std::unique_ptr<database>> open_database(database_options options) {
  if (options.node.empty())
    return make_error(errc::invalid_argument, "a node needs a name to own shards by");
  if (auto fit = check(options); !fit)
    return fit.error();
  return std::unique_ptr<database>{std::make_unique<postgres_database>(std::move(options))};
}

} // namespace holdfast::storage
