// The API keys of one database, as far as a node knows them, and the looks that keep them new.
#pragma once

#include "messages/limits.hpp"
#include "storage/store.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace holdfast::api {

/// Who a key stands for.
struct caller {
  merchant_id merchant;
  key_id key;
  std::uint16_t stripes = 1; ///< of the merchant, see shard_of_key
  bool live = false;         ///< `hf_live_…` rather than `hf_test_…`
};

using key_hash = std::array<std::uint8_t, 32>;

/// Thread-safe, and shared with the store's callbacks. There is one look at a time, which all
/// wait for who need it; what they are told runs on a storage thread, or within the call.
class known_keys : public std::enable_shared_from_this<known_keys> {
public:
  using found = std::function<void(expected<std::optional<caller>>)>;
  using refreshed = std::function<void(expected<void>)>;
  /// Runs a function after a while, on any thread.
  using timer = std::function<void(milliseconds, std::function<void()>)>;

  /// Of the database that holds `shard`. The store must outlive every look under way.
  known_keys(storage::store& store, shard_number shard, timer later)
    : store_(store),
      shard_(shard),
      later_(std::move(later)) {}

  /// Tells the outcome of a look that begins after this call, at once if none is under way.
  void refresh(timestamp now, refreshed done);

  /// Grows with everything that is heard of keys: looks that have ended, revocations learnt.
  [[nodiscard]] std::uint64_t heard() const;

  /// What this node has just written. It is known at once, within the call, unless something
  /// newer may have been heard of it; then by a look, as with `refresh`. `heard_before` is what
  /// `heard` said before the row was written.
  void learn(const storage::caller_row& written, std::uint64_t heard_before, timestamp now,
             const refreshed& done);

  /// Whether the database was the key's when it was last read. If so, `done` hears what is to
  /// be made of that: see key_ring::find. If not, `done` is not called.
  [[nodiscard]] bool find_known(const key_hash& hash, timestamp now, const found& done);

  /// For a key that isn't known: tells what a look finds that begins after this call.
  void find_anew(const key_hash& hash, timestamp now, const found& done);

  /// Whether there is such a key, as far as is known.
  [[nodiscard]] bool opens(const key_hash& hash) const;

private:
  struct known_key {
    key_hash hash{};
    caller who;
  };
  /// By the first eight bytes of the hash. The pepper makes these as good as random to anyone
  /// outside, so how long a look-up takes tells nothing of any key.
  using key_table = std::unordered_multimap<std::uint64_t, known_key>;

  /// What there is to do once the mutex is free.
  enum class next_step : std::uint8_t { none, read, pause };
  struct waiters {
    std::vector<refreshed> all;
    bool urgent = false; ///< an operator is among them
  };

  [[nodiscard]] static key_table make_table(const std::vector<storage::caller_row>& rows);
  void change(const storage::caller_row& row);
  [[nodiscard]] std::optional<caller> look_up(const key_hash& hash) const;
  [[nodiscard]] expected<std::optional<caller>> answer(const key_hash& hash,
                                                       timestamp now) const;
  [[nodiscard]] bool is_due(std::int64_t age_ms, timestamp now) const;
  [[nodiscard]] bool is_older_than(std::int64_t age_ms, timestamp now) const;
  [[nodiscard]] next_step begin_look(timestamp now);
  [[nodiscard]] next_step pause();
  [[nodiscard]] refreshed answering(const key_hash& hash, timestamp now, const found& done);
  void take(next_step step);
  void read();
  void begin_due_look();
  void end_look(const expected<storage::caller_changes>& told);

  storage::store& store_;
  const shard_number shard_;
  const timer later_;

  mutable std::mutex mutex_;
  key_table table_;
  storage::callers_position position_; ///< how far the table goes
  std::uint64_t heard_ = 0;            ///< see `heard`
  std::optional<timestamp> read_at_;   ///< when the look began that the table is of
  std::optional<error> failure_;       ///< of the latest look
  std::optional<timestamp> looked_at_; ///< when the latest look began, for the pause after it
  timestamp began_;                    ///< the same, or a little earlier: never too new
  timestamp asked_at_;                 ///< when somebody last wanted one
  bool looking_ = false;
  bool due_ = false;     ///< a look will begin by itself
  waiters waiting_;      ///< for the look under way, or the one that is due
  waiters waiting_next_; ///< for one that begins later
};

} // namespace holdfast::api
