// The lease keeper's only implementation: one thread, one connection, a round every third of a
// lease or when something is asked of it.
#pragma once

#include "storage/connection.hpp"
#include "storage/leases.hpp"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace holdfast::storage {

struct lease_options {
  std::string url;
  std::string owner;
  milliseconds lease{3'000};
  /// The server's process that writes for us, 0 for none; asked before each round.
  std::function<int()> writer_pid;
};

class postgres_lease_keeper final : public lease_keeper {
public:
  postgres_lease_keeper(lease_options options, lease_events events);
  ~postgres_lease_keeper() override;

  void want(std::vector<shard_number> shards) override;
  void reacquire(shard_number shard) override;
  void release_all() override;
  [[nodiscard]] std::vector<lease_row> snapshot() const override;

  /// Ends the thread; nothing is renewed or reported any more. Not from a callback.
  void stop();

  /// The journal has lost the shard: reported as `lost`, then taken again while it is wanted.
  /// Any thread.
  void journal_lost(shard_number shard, epoch_number epoch);

private:
  struct held_lease {
    epoch_number epoch;
    steady_time serve_until; ///< by our own clock, with the margin taken off
  };

  using shard_epochs = std::map<shard_number, epoch_number>;

  void work();
  void round();
  void report_lost();
  void expire();
  void renew();
  void release_unwanted();
  void take_missing();
  void read_rows();
  void end_holders(const std::vector<shard_number>& shards);
  [[nodiscard]] expected<std::vector<acquired_shard>> take_over(
    const std::vector<shard_number>& shards, steady_time deadline);
  void roll_back();
  void release(const std::vector<shard_number>& shards);

  [[nodiscard]] bool connected();
  [[nodiscard]] steady_time query_deadline() const;
  [[nodiscard]] steady_time serve_until(steady_time asked) const;
  void lose(const shard_epochs& losses);

  const lease_options options_;
  const lease_events events_;

  // Of the keeper's thread.
  std::unique_ptr<connection> db_;
  std::map<shard_number, held_lease> held_;

  // Shared.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<shard_number> wanted_;
  std::set<shard_number> again_; ///< to be given up and taken with a higher epoch
  std::vector<std::pair<shard_number, epoch_number>> journal_losses_;
  std::vector<lease_row> rows_;
  bool asked_ = false; ///< something above has changed: don't wait for the next round
  bool releasing_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace holdfast::storage
