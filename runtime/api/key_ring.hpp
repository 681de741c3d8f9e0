// The API keys that a node knows, held in memory so that no request waits for the database. A
// key itself is stored nowhere: only its HMAC-SHA-256 under the server's pepper.
#pragma once

#include "messages/secret.hpp"
#include "storage/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace holdfast::api {

/// Who a key stands for.
struct caller {
  merchant_id merchant;
  key_id key;
  std::uint16_t stripes = 1; ///< of the merchant, see shard_of_key
  bool live = false;         ///< `hf_live_…` rather than `hf_test_…`
};

/// A new key: the text is shown once, the row is stored.
struct issued_key {
  secret text;
  storage::api_key_row row;
};

/// Thread-safe. The store must outlive every call under way, not the ring.
class key_ring {
public:
  using found = std::function<void(expected<std::optional<caller>>)>;

  /// `pepper` is the secret of the HMAC, at least limits::key_pepper_bytes_min bytes.
  key_ring(storage::store& store, secret pepper);
  ~key_ring();
  key_ring(const key_ring&) = delete;
  key_ring& operator=(const key_ring&) = delete;

  /// Reads merchants and keys anew: at the start, and when an operator changed one. A look that
  /// is under way already is not enough then, so another follows it. Errors: the store's.
  void refresh(timestamp now, std::function<void(expected<void>)> done);

  /// Whose key this is; none for an unknown, revoked or malformed one, which all take the same
  /// path. A key that isn't known makes the ring look again, a few times a second at most; what
  /// it knows is never much older than limits::key_age_ms_max. `done` runs at once or on a
  /// storage thread. Errors: unavailable, overloaded.
  void find(std::string_view key, timestamp now, found done);

  /// Makes a key of 32 random bytes, which is not known before it is stored and the ring has
  /// been refreshed. `id_random` goes into the row's id. Errors: internal (no randomness).
  [[nodiscard]] expected<issued_key> issue(merchant_id merchant, bool live, timestamp now,
                                           std::uint64_t id_random) const;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace holdfast::api
