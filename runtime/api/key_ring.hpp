// The API keys that a node knows, held in memory so that no request waits for the database. A
// key itself is stored nowhere: only its HMAC-SHA-256 under the server's pepper.
#pragma once

#include "messages/secret.hpp"
#include "runtime/api/known_keys.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace holdfast::api {

/// A new key: the text is shown once, the row is stored.
struct issued_key {
  secret text;
  storage::api_key_row row;
};

/// Thread-safe. The store must outlive every call under way, not the ring.
class key_ring {
public:
  using found = known_keys::found;
  using timer = known_keys::timer;

  /// `pepper` is the secret of the HMAC, at least limits::key_pepper_bytes_min bytes; the
  /// layout says which databases there are.
  key_ring(storage::store& store, const secret& pepper, timer later,
           const shard_layout& layout);
  ~key_ring();
  key_ring(const key_ring&) = delete;
  key_ring& operator=(const key_ring&) = delete;

  /// How much the ring has heard of keys of the shard's database: to be asked before a row is
  /// written that `learn` is then told of.
  [[nodiscard]] std::uint64_t heard(shard_number shard) const;

  /// Takes in the row that this node has just written, so that a new key opens the door, and a
  /// revoked one doesn't, when `done` is told so. Most often at once; while something newer may
  /// have been heard, by a look at what has changed, which begins after this call unless the
  /// one under way fails. Other databases are not waited for. Errors: the store's; not_found
  /// (no such shard).
  void learn(const storage::caller_row& written, std::uint64_t heard_before, timestamp now,
             const std::function<void(expected<void>)>& done);

  /// Reads what has changed in the shard's database: as the looks of `learn`.
  void refresh(shard_number shard, timestamp now, std::function<void(expected<void>)> done);

  /// Whose key this is; none for an unknown, revoked or malformed one, which all take the same
  /// path. A key that isn't known makes the ring look again, a few times a second at most, and
  /// is not denied before a look in every database that began after it came: another node may
  /// just have made it. While a database can't be read, a key that isn't known may be one of
  /// its own, so it is unavailable rather than none.
  ///
  /// What is known of a database is read anew when a key of it is used and it is older than
  /// limits::key_age_ms_max, and if it is twice as old, the key waits for that: so a revoked
  /// one dies within that time on every node that can read its database. On one that can't, it
  /// goes on to work until what is known is older than limits::key_stale_ms_max; from then on
  /// the keys of that database are unavailable, and those of the others work. `done` runs at
  /// once or on a storage thread. Errors: unavailable, overloaded.
  void find(std::string_view key, timestamp now, const found& done);

  /// Whether the key opens the door as far as the ring knows now.
  [[nodiscard]] bool opens(const storage::api_key_row& key) const;

  /// Makes a key of 32 random bytes, which is not known before it is stored and the ring has
  /// learnt it. `id_random` goes into the row's id. Errors: internal (no randomness).
  [[nodiscard]] expected<issued_key> issue(merchant_id merchant, bool live, timestamp now,
                                           std::uint64_t id_random) const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace holdfast::api
