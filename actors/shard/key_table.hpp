// The idempotency keys that a shard answers from memory: what a repeated request gets. Pure.
#pragma once

#include "messages/commands.hpp"
#include "storage/journal.hpp"

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

namespace holdfast::shards {

/// A merchant's key.
struct key_name {
  merchant_id merchant;
  std::string key;

  friend bool operator==(const key_name&, const key_name&) = default;
};

struct key_name_hash {
  std::size_t operator()(const key_name& name) const noexcept {
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
  const storage::stored_answer* answer = nullptr; ///< for pending and answered
};

/// Bounded: answered keys leave in the order of their last use; running ones never do. Not
/// thread-safe: it belongs to one shard actor.
class key_table {
public:
  explicit key_table(std::size_t answered_max) : answered_max_(answered_max) {}

  /// Looks the key up; `fresh` also registers it as running.
  [[nodiscard]] key_look begin(const key_name& name, const fingerprint& request, uuid subject);

  /// Puts in a key as the database has it: when the shard starts, or a cold key was hit.
  void restore(const key_name& name, const storage::stored_key& row);

  /// The running request was answered 202; repeats get the same until `finish`.
  void provisional(const key_name& name, storage::stored_answer answer);
  /// The definitive answer. Ignored for a key that is not known.
  void finish(const key_name& name, storage::stored_answer answer);
  /// Nothing was written under the key: it is as if it had never come.
  void forget(const key_name& name);

  [[nodiscard]] std::optional<uuid> subject_of(const key_name& name) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
  enum class state : std::uint8_t { running, provisional, answered };

  struct entry {
    state at = state::running;
    fingerprint request{};
    uuid subject;
    storage::stored_answer answer;
    std::list<key_name>::iterator recency; ///< valid when answered
  };

  void mark_answered(const key_name& name, entry& one);
  void evict();

  std::size_t answered_max_;
  std::unordered_map<key_name, entry, key_name_hash> entries_;
  std::list<key_name> recent_; ///< answered keys, the latest used first
};

} // namespace holdfast::shards
