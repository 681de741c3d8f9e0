// The lease keeper's only implementation: one thread, one connection, a round every third of a
// lease, or when something is asked of it, or when somebody else's lease runs out.
#pragma once

#include "storage/database.hpp"
#include "storage/lease_statements.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace holdfast::storage {

struct lease_options {
  std::string url;
  database_identity identity; ///< checked at every connect
  std::string owner;
  milliseconds lease{3'000};
  /// The server's process that writes for us, 0 for none; asked before each round.
  std::function<int()> writer_pid;
  std::shared_ptr<sequence_marks> marks;
  std::shared_ptr<server_timeline> timeline = std::make_shared<server_timeline>(0);
  /// The keeper has a new connection, perhaps to another server; on its thread. May be empty.
  std::function<void()> connected;
};

class postgres_lease_keeper final : public lease_keeper {
public:
  /// A database that is out of reach is tried again, round after round.
  postgres_lease_keeper(lease_options options, lease_events events);
  ~postgres_lease_keeper() override;

  void want(std::vector<shard_number> shards) override;
  void want_singletons(std::vector<std::string> names) override;
  void released(shard_number shard, epoch_number epoch) override;
  void reacquire(shard_number shard) override;
  void introduce(node_card card) override;
  void look_again() override;
  void pin(shard_range shards, std::string node,
           std::function<void(expected<void>)> done) override;
  void release_all() override;
  [[nodiscard]] cluster_view snapshot() const override;

  /// Ends the thread; nothing is renewed or reported any more. Not from a callback.
  void stop();

  /// The journal has lost the shard: reported as `lost`, then taken again while it is wanted.
  /// Any thread.
  void journal_lost(shard_number shard, epoch_number epoch);

private:
  struct held_lease {
    epoch_number epoch;
    steady_time serve_until; ///< by our own clock, with the margin taken off
    bool given_up = false;   ///< said of it; it waits to be `released`
  };

  struct pin_order {
    shard_range shards;
    std::string node;
    std::function<void(expected<void>)> done;
  };

  using losses = std::vector<std::pair<shard_number, epoch_number>>;

  void ask(const std::function<void()>& change);
  void work();
  [[nodiscard]] steady_time next_round() const;
  void round();
  void round_with_database(bool releasing);

  // -- what is ours: postgres_leases.cpp --
  void report_lost();
  void expire();
  void lose(const shard_epochs& these);
  void renew();
  void release_finished();
  void give_up_unwanted();
  void release_everything();
  void let_go(const shard_epochs& shards);
  [[nodiscard]] std::vector<shard_number> missing_shards();
  void take_missing();
  void end_owners_before(const std::vector<shard_number>& shards, steady_time since);
  void adopt(std::vector<acquired_shard> taken, steady_time asked);
  void refuse_behind(const std::vector<take_over_end::behind_shard>& shards,
                     std::string_view fate);

  // -- who else there is: lease_rounds.cpp --
  void introduce_ourselves();
  void step_down(const std::string& other_incarnation);
  void keep_singletons();
  void set_singletons(std::map<std::string, steady_time> held);
  void obey_pins();
  void refuse_pins();
  void sweep();
  void look();
  [[nodiscard]] std::map<shard_number, sequence_number> known_marks() const;
  void judge_logs(const std::vector<lease_row>& leases,
                  const std::map<shard_number, sequence_number>& known);
  [[nodiscard]] steady_time first_end_that_matters(const cluster_view& view,
                                                   steady_time read) const;
  [[nodiscard]] bool connected();
  void complain(const error& trouble);

  [[nodiscard]] lease_context context();
  [[nodiscard]] steady_time query_deadline() const;
  [[nodiscard]] steady_time serve_until(steady_time asked) const;
  [[nodiscard]] std::string incarnation() const;

  const lease_options options_;
  const lease_events events_;
  const steady_time started_ = std::chrono::steady_clock::now();

  // Of the keeper's thread.
  std::unique_ptr<connection> db_;
  std::optional<timestamp>
    started_at_;        ///< `started_` by the database's clock, once it is known
  std::string trouble_; ///< what kept us from the database, as it was said
  std::map<shard_number, held_lease> held_;
  std::set<shard_number> behind_;                 ///< said of them, and not whole again since
  std::map<std::string, steady_time> singletons_; ///< until when each is ours, by our own clock
  steady_time renewed_{};
  steady_time sweep_at_{};
  steady_time look_at_ = steady_time::max(); ///< something of another node's ends there
  bool superseded_ = false;

  // Shared.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<shard_number> wanted_;
  std::set<shard_number> again_; ///< to be given up and taken with a higher epoch
  std::vector<std::string> wanted_singletons_;
  std::optional<node_card> card_;
  std::deque<pin_order> pins_;
  losses journal_losses_;
  losses finished_; ///< `released`
  cluster_view view_;
  bool asked_ = false; ///< something above has changed: don't wait for the next round
  bool releasing_ = false;
  bool stopping_ = false;
  wake_event leaving_; ///< `release_all` or `stop` was called
  std::thread thread_;
};

} // namespace holdfast::storage
