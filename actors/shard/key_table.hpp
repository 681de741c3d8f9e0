// The idempotency keys that a shard answers from memory: what a repeated request gets. Pure.
#pragma once

#include "messages/commands.hpp"
#include "messages/limits.hpp"
#include "storage/journal.hpp"

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::shards {

/// A merchant's key.
struct key_name {
  merchant_id merchant;
  std::string key;

  friend bool operator==(const key_name&, const key_name&) = default;
};

/// Not noexcept, for libstdc++ keeps beside an entry what a hash has said that may throw: to
/// read the texts of a bucket's other entries again costs more than all the rest of a look.
struct key_name_hash {
  std::size_t operator()(const key_name& name) const {
    return std::hash<merchant_id>{}(name.merchant) ^ std::hash<std::string>{}(name.key);
  }
};

/// What is to be done with a request that carries a key.
enum class key_verdict : std::uint8_t {
  fresh,       ///< Not known here: go on. The database has the last word.
  in_progress, ///< The first request with it is still running: 409.
  mismatch,    ///< It stands for another request: 422.
  pending,     ///< The first request got a 202 and its outcome is still unknown: the same 202.
  answered,    ///< The definitive answer, byte for byte.
};

struct key_look {
  key_verdict verdict = key_verdict::fresh;
  std::optional<storage::stored_answer> answer{}; ///< for pending and answered
};

/// Bounded, in number and in bytes: answered keys leave in the order of their last use; running
/// ones never do. Nor are answered keys known any longer than they are kept after their last
/// use. Not thread-safe: it belongs to one shard actor.
class key_table {
public:
  explicit key_table(std::size_t answered_max,
                     std::size_t touches_max = limits::idempotency_touches_max,
                     std::size_t bytes_max = limits::shard_keys_bytes_max)
    : answered_max_(answered_max),
      touches_max_(touches_max),
      bytes_max_(bytes_max) {}

  /// Looks the key up; `fresh` also registers it as running, `answered` is a use of it.
  [[nodiscard]] key_look begin(const key_name& name, const fingerprint& request, uuid subject,
                               timestamp now);

  /// Puts in a key as the database has it, in place of a running request: when the shard
  /// starts, or a cold key was hit.
  void restore(const key_name& name, const storage::stored_key& row);
  /// The key's stored answer was given. Ignored for a key without one.
  void use(const key_name& name, timestamp now);

  /// The running request was answered 202; repeats get the same until `finish`.
  void provisional(const key_name& name, const storage::stored_answer& answer);
  /// The definitive answer. Ignored for a key that is not known.
  void finish(const key_name& name, const storage::stored_answer& answer, timestamp now);
  /// Likewise, but for the answer of this subject alone. False: the key stands for another one.
  [[nodiscard]] bool finish_of(const key_name& name, const uuid& subject,
                               const storage::stored_answer& answer, timestamp now);
  /// The running request wrote nothing under the key: it is as if it had never come. An answer
  /// that the key has got meanwhile stays.
  void forget(const key_name& name);

  /// Hands over keys whose use the database should hear of, at most `max`: those that were used
  /// an hour or more after the last use that it knows of.
  [[nodiscard]] std::vector<key_name> take_touched(std::size_t max);
  /// Takes back what could not be written down.
  void keep_touched(std::vector<key_name> names);
  [[nodiscard]] bool has_touched() const noexcept { return !touched_.empty(); }

  [[nodiscard]] std::optional<uuid> subject_of(const key_name& name) const;
  /// The keys that stand for it and have no definitive answer here, in no particular order.
  /// Looks at every key: for the rare moment when a payment has to be rebuilt.
  [[nodiscard]] std::vector<key_name> open_keys_of(const uuid& subject) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// What the answered keys take, about.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  enum class state : std::uint8_t { running, provisional, answered };

  /// Names are those of `entries_`, whose nodes stay where they are.
  using recency_list = std::list<const key_name*>;

  struct entry {
    state at = state::running;
    fingerprint request{};
    uuid subject;
    std::string answer;             ///< packed: one allocation rather than four
    recency_list::iterator recency; ///< valid when answered
    timestamp used_at;              ///< when answered: its last use
    timestamp touched_at;           ///< when answered: the use that the database knows of
  };

  using entry_map = std::unordered_map<key_name, entry, key_name_hash>;

  [[nodiscard]] static std::size_t bytes_of(const entry_map::value_type& named) noexcept;

  void finish(entry_map::value_type& named, const storage::stored_answer& answer,
              timestamp now);
  void mark_answered(entry_map::value_type& named, timestamp used_at);
  void note_use(const key_name& name, entry& one, timestamp now);
  void evict();

  std::size_t answered_max_;
  std::size_t touches_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  entry_map entries_;
  recency_list recent_; ///< answered keys, the latest used first
  std::vector<key_name> touched_;
};

} // namespace holdfast::shards
