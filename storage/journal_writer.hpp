// The journal's only implementation: one thread, one connection, one transaction at a time, and
// while that is in flight the next one gathers.
#pragma once

#include "storage/connection.hpp"
#include "storage/database.hpp"
#include "storage/journal_queue.hpp"

#include <atomic>
#include <set>
#include <thread>

namespace holdfast::storage {

struct journal_options {
  std::string url;
  std::string node;
  database_identity identity; ///< checked at every connect
  /// What is committed is noted in it, and a log that ends before it is not written to.
  std::shared_ptr<sequence_marks> marks;
  std::shared_ptr<server_turns> turns;
  std::shared_ptr<server_timeline> timeline;
};

class journal_writer final : public journal {
public:
  /// Starts the thread, which connects when there is something to do.
  explicit journal_writer(journal_options options);
  /// Writes what is queued, for a bounded time; the rest ends as `lost`.
  ~journal_writer() override;

  void open_shard(shard_number shard, epoch_number epoch, sequence_number last_seq,
                  std::string chain) override;
  void close_shard(shard_number shard, std::function<void()> done) override;
  void submit(journal_write write, write_callback done) override;
  void barrier(shard_number shard, std::function<void()> done) override;
  void run(shard_number shard, epoch_number epoch, std::unique_ptr<unit_of_work> work) override;

  [[nodiscard]] journal_figures figures() const;
  void observe_commits(commit_observer observer);
  /// Hears, on the writer's thread, of every shard that was fenced off or given up.
  void on_shard_lost(shard_lost_callback lost);
  /// The turn has changed: what is written next, and before it the heads of the open shards, is
  /// checked over a new connection. Any thread.
  void look_again() noexcept { queue_.wake(); }
  /// The server's process of the present connection, 0 without one: what a take-over may have
  /// to end.
  [[nodiscard]] int backend_pid() const noexcept { return backend_pid_; }

private:
  /// How an attempt at a transaction ended.
  enum class attempt_end : std::uint8_t {
    committed,
    fenced,    ///< Some shards are not ours any more: `fenced_`.
    known_key, ///< Some keys exist; to be asked which, for they were claimed blindly.
    conflicts, ///< Some keys exist, or notices: `conflicts_`, `known_webhooks_`.
    refused,   ///< The rows are to blame: `reason_`.
    retry,     ///< Nothing was written, and nothing is wrong with the rows.
    unknown,   ///< COMMIT was sent and no answer came.
  };

  using write_list = std::vector<queued_write*>;

  void work();
  void step();
  void follow();
  void refill();

  // -- writes: journal_writer.cpp --
  [[nodiscard]] std::vector<queued_write_ptr> gather();
  void commit(write_list writes);
  void commit_apart(write_list writes);
  void abandon(const write_list& writes);
  void drop_stale(write_list& writes);
  void finish_committed(const transaction& tx, const write_list& writes,
                        std::int64_t commit_us);
  void finish_fenced(write_list& writes);
  void finish_conflicts(write_list& writes);
  void finish_known_webhooks(write_list& writes);
  void finish_all(const write_list& writes, write_result::kind outcome,
                  const std::string& detail);
  void finish(queued_write& queued, write_result outcome);
  [[nodiscard]] bool is_open(shard_number shard, epoch_number epoch) const;

  // -- units of work: journal_units.cpp --
  void run_unit(queued_unit unit);
  [[nodiscard]] std::optional<expected<void>> unit_attempt(queued_unit& unit);
  [[nodiscard]] std::optional<expected<void>> commit_unit(queued_unit& unit,
                                                          const unit_scope& scope);
  [[nodiscard]] attempt_end begin_unit(const queued_unit& unit);

  // -- one transaction: journal_transaction.cpp --
  [[nodiscard]] attempt_end attempt(const transaction& tx, bool begun);
  [[nodiscard]] attempt_end receive_steps(const transaction& tx, bool begun,
                                          steady_time deadline);
  [[nodiscard]] attempt_end check_step(const transaction::step& step, const transaction& tx,
                                       const result& got);
  [[nodiscard]] attempt_end send_commit(steady_time deadline);
  [[nodiscard]] attempt_end judge_refusal(const result& refusal);
  void roll_back();
  void adopt(const transaction& tx);
  /// What became of a transaction whose COMMIT was not answered; none: the journal must give
  /// up.
  [[nodiscard]] std::optional<bool> find_out(const transaction& tx);
  [[nodiscard]] expected<bool> is_logged(shard_number shard, const shard_head& head);

  // -- the connection: journal_recovery.cpp --
  [[nodiscard]] bool ensure_connected();
  [[nodiscard]] expected<void> try_connect();
  void end_old_backend(connection& db, steady_time deadline);
  [[nodiscard]] expected<void> check_heads(connection& db, steady_time deadline);
  void lose_behind(shard_number shard, sequence_number has, sequence_number known);
  void drop_connection();
  [[nodiscard]] bool pause();
  void recovered();
  void lose_shards(const std::set<shard_number>& shards, const std::string& reason);
  void give_up();

  const journal_options options_;
  journal_queue queue_;

  // Of the writer's thread.
  std::unique_ptr<connection> db_;
  std::uint64_t turn_ = 0; ///< that `db_` was made in
  std::deque<journal_entry> backlog_;
  shard_heads open_;
  std::map<shard_number, epoch_number> newest_; ///< the epochs that were opened or wait to be
  std::set<shard_number> fenced_;
  std::set<std::pair<merchant_id, std::string>> conflicts_;
  std::set<std::pair<std::string, std::string>> known_webhooks_; ///< gateway, event id
  std::string reason_;
  std::size_t looks_left_ = 0; ///< transactions that don't claim keys blindly
  std::optional<steady_time> trouble_since_;
  milliseconds pause_{0};
  int old_backend_ = 0;
  steady_time stop_at_ = steady_time::max();

  // Shared.
  mutable std::mutex mutex_;
  commit_observer observer_;
  shard_lost_callback lost_;
  wake_event leaving_; ///< the writer is to end
  std::atomic<int> backend_pid_{0};
  std::atomic<std::uint64_t> transactions_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> failed_writes_{0};
  std::thread thread_;
};

} // namespace holdfast::storage
