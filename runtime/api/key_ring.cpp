#include "runtime/api/key_ring.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::api {

namespace {

using key_hash = std::array<std::uint8_t, 32>;

struct known_key {
  key_hash hash{};
  caller who;
};

/// By the first eight bytes of the hash. The pepper makes these as good as random to anyone
/// outside, so how long a look-up takes tells nothing of any key.
using key_table = std::unordered_multimap<std::uint64_t, known_key>;

std::uint64_t slot_of(const key_hash& hash) {
  std::uint64_t slot = 0;
  std::memcpy(&slot, hash.data(), sizeof slot);
  return slot;
}

std::optional<caller> look_up(const key_table& table, const key_hash& hash) {
  const auto [first, last] = table.equal_range(slot_of(hash));
  for (auto entry = first; entry != last; ++entry)
    if (CRYPTO_memcmp(entry->second.hash.data(), hash.data(), hash.size()) == 0)
      return entry->second.who;
  return std::nullopt;
}

std::shared_ptr<const key_table> make_table(const std::vector<storage::merchant_row>& merchants,
                                            const std::vector<storage::api_key_row>& keys) {
  std::unordered_map<merchant_id, std::uint16_t> stripes;
  for (const auto& merchant : merchants)
    stripes.emplace(merchant.id, merchant.stripes);
  auto table = std::make_shared<key_table>();
  for (const auto& key : keys) {
    const auto owner = stripes.find(key.merchant);
    if (key.revoked_at || owner == stripes.end())
      continue;
    const caller who{
      .merchant = key.merchant, .key = key.id, .stripes = owner->second, .live = key.live};
    table->emplace(slot_of(key.hash), known_key{key.hash, who});
  }
  return table;
}

} // namespace

/// Shared with the store's callbacks, which may outlive the ring.
struct key_ring::state : std::enable_shared_from_this<key_ring::state> {
  using refreshed = std::function<void(const expected<void>&)>;

  state(storage::store& given_store, secret given_pepper)
    : store(given_store),
      pepper(std::move(given_pepper)) {}

  storage::store& store;
  const secret pepper;

  std::mutex mutex;
  std::shared_ptr<const key_table> table = std::make_shared<key_table>();
  std::optional<timestamp> looked_at; ///< when the latest look began
  bool looking = false;
  std::vector<refreshed> waiting;      ///< for the look under way
  std::vector<refreshed> waiting_next; ///< for one that begins later

  [[nodiscard]] key_hash hash_of(std::string_view key) const {
    key_hash hash{};
    unsigned int size = 0;
    const auto secret_bytes = pepper.reveal();
    const auto* done =
      HMAC(EVP_sha256(), secret_bytes.data(), static_cast<int>(secret_bytes.size()),
           reinterpret_cast<const unsigned char*>(key.data()), key.size(), hash.data(), &size);
    HF_ASSERT(done != nullptr && size == hash.size());
    return hash;
  }

  /// Whether the latest look began at least so long ago. A clock that jumped back counts as
  /// long.
  [[nodiscard]] bool is_older_than(std::int64_t age_ms, timestamp now) const {
    return !looked_at || now < *looked_at || now - *looked_at >= milliseconds{age_ms};
  }

  /// With the mutex held; the caller calls `read` after releasing it.
  void begin_look(timestamp now) {
    looking = true;
    looked_at = now;
  }

  void read() {
    auto self = shared_from_this();
    store.list_merchants([self](expected<std::vector<storage::merchant_row>> merchants) {
      if (!merchants)
        return self->end_look(merchants.error());
      self->store.list_keys(
        [self, rows = std::move(*merchants)](expected<std::vector<storage::api_key_row>> keys) {
          if (!keys)
            return self->end_look(keys.error());
          self->end_look(make_table(rows, *keys));
        });
    });
  }

  void end_look(expected<std::shared_ptr<const key_table>> outcome) {
    std::vector<refreshed> served;
    bool again = false;
    {
      const std::lock_guard lock{mutex};
      if (outcome)
        table = *outcome;
      served = std::exchange(waiting, std::exchange(waiting_next, {}));
      again = !waiting.empty();
      looking = again;
    }
    const auto heard = outcome ? expected<void>{} : expected<void>{outcome.error()};
    for (const auto& done : served)
      done(heard);
    if (again)
      read();
  }
};

key_ring::key_ring(storage::store& store, secret pepper)
  : state_(std::make_shared<state>(store, std::move(pepper))) {}

key_ring::~key_ring() = default;

void key_ring::refresh(timestamp now, std::function<void(expected<void>)> done) {
  bool start = false;
  {
    const std::lock_guard lock{state_->mutex};
    start = !state_->looking;
    (start ? state_->waiting : state_->waiting_next).push_back(std::move(done));
    state_->begin_look(now);
  }
  if (start)
    state_->read();
}

void key_ring::find(std::string_view key, timestamp now, found done) {
  const auto hash = state_->hash_of(key);
  std::optional<caller> who;
  bool start = false;
  bool wait = false;
  bool full = false;
  {
    const std::lock_guard lock{state_->mutex};
    who = look_up(*state_->table, hash);
    const auto age_ms = who ? limits::key_age_ms_max : limits::key_refresh_pause_ms;
    start = !state_->looking && state_->is_older_than(age_ms, now);
    wait = !who && (start || state_->looking);
    full = wait && state_->waiting.size() >= limits::key_waiting_max;
    if (wait && !full) {
      state_->waiting.push_back([ring = state_, hash, done](const expected<void>& outcome) {
        if (!outcome)
          return done(outcome.error());
        std::shared_ptr<const key_table> table;
        {
          const std::lock_guard inner{ring->mutex};
          table = ring->table;
        }
        done(look_up(*table, hash));
      });
    }
    if (start)
      state_->begin_look(now);
  }
  if (full)
    return done(make_error(errc::overloaded, "too many requests wait for the API keys"));
  if (start)
    state_->read();
  if (!wait)
    done(who);
}

expected<issued_key> key_ring::issue(merchant_id merchant, bool live, timestamp now,
                                     std::uint64_t id_random) const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return make_error(errc::internal, "the random number generator failed");
  std::string text = live ? "hf_live_" : "hf_test_";
  text.reserve(text.size() + 2 * bytes.size());
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 0x0F];
  }
  issued_key issued{.text = secret{text}, .row = {}};
  issued.row.id = key_id::make(now, merchant.shard(), id_random);
  issued.row.merchant = merchant;
  issued.row.hash = state_->hash_of(text);
  issued.row.live = live;
  issued.row.created_at = now;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(text.data(), text.size());
  return issued;
}

} // namespace holdfast::api
