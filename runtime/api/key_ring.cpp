#include "runtime/api/key_ring.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::api {

namespace {

/// What the databases say of a key that was not known. The first that knows it is the answer,
/// and only when all have spoken is it nobody's.
class inquiry {
public:
  inquiry(std::size_t asked, key_ring::found done) : missing_(asked), done_(std::move(done)) {}

  void take(const expected<std::optional<caller>>& one) {
    {
      const std::lock_guard lock{mutex_};
      if (missing_ == 0)
        return;
      const bool is_known = one && *one;
      missing_ = is_known ? 0 : missing_ - 1;
      if (is_known || !one)
        answer_ = one;
      if (missing_ > 0)
        return;
    }
    done_(std::move(answer_));
  }

private:
  std::mutex mutex_;
  std::size_t missing_;
  expected<std::optional<caller>> answer_;
  const key_ring::found done_;
};

error no_such_shard() {
  return make_error(errc::not_found, "there is no such shard");
}

/// HMAC-SHA-256 under one secret. Every request is hashed, so OpenSSL looks the algorithm up
/// and takes the secret in but once. Thread-safe.
class keyed_hash {
public:
  explicit keyed_hash(const secret& under) {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> algorithm{
      EVP_MAC_fetch(nullptr, "HMAC", nullptr), &EVP_MAC_free};
    HF_ASSERT(algorithm != nullptr);
    std::string digest = "SHA256";
    const std::array choice{OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
                            OSSL_PARAM_construct_end()};
    const auto bytes = under.reveal();
    context_.reset(EVP_MAC_CTX_new(algorithm.get()));
    HF_ASSERT(context_ != nullptr
              && EVP_MAC_init(context_.get(),
                              reinterpret_cast<const unsigned char*>(bytes.data()),
                              bytes.size(), choice.data())
                   == 1);
  }

  [[nodiscard]] key_hash of(std::string_view text) {
    key_hash hash{};
    std::size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    const std::lock_guard lock{mutex_};
    const bool done = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 // the same secret
                      && EVP_MAC_update(context_.get(), bytes, text.size()) == 1
                      && EVP_MAC_final(context_.get(), hash.data(), &size, hash.size()) == 1;
    HF_ASSERT(done && size == hash.size());
    return hash;
  }

private:
  std::mutex mutex_;
  std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context_{nullptr,
                                                                     &EVP_MAC_CTX_free};
};

} // namespace

struct key_ring::state {
  state(const secret& pepper, const shard_layout& its_layout)
    : hash(pepper),
      layout(its_layout) {}

  keyed_hash hash;
  const shard_layout layout;
  std::vector<std::shared_ptr<known_keys>> parts; ///< one a database

  /// None: there is no such shard.
  [[nodiscard]] known_keys* part_of(shard_number shard) const {
    return shard.value < layout.count() ? parts[layout.database_of(shard)].get() : nullptr;
  }
};

key_ring::key_ring(storage::store& store, const secret& pepper, timer later,
                   const shard_layout& layout)
  : state_(std::make_unique<state>(pepper, layout)) {
  for (const auto& range : layout.ranges())
    state_->parts.push_back(std::make_shared<known_keys>(store, range.first, later));
}

key_ring::~key_ring() = default;

std::uint64_t key_ring::heard(shard_number shard) const {
  const auto* part = state_->part_of(shard);
  return part != nullptr ? part->heard() : 0;
}

void key_ring::learn(const storage::caller_row& written, std::uint64_t heard_before,
                     timestamp now, const std::function<void(expected<void>)>& done) {
  if (auto* part = state_->part_of(written.key.id.shard()))
    return part->learn(written, heard_before, now, done);
  done(no_such_shard());
}

void key_ring::refresh(shard_number shard, timestamp now,
                       std::function<void(expected<void>)> done) {
  if (auto* part = state_->part_of(shard))
    return part->refresh(now, std::move(done));
  done(no_such_shard());
}

void key_ring::find(std::string_view key, timestamp now, const found& done) {
  const auto hash = state_->hash.of(key);
  const auto answers = [&](const auto& part) { return part->find_known(hash, now, done); };
  if (std::ranges::any_of(state_->parts, answers))
    return;
  const auto asked = std::make_shared<inquiry>(state_->parts.size(), done);
  for (const auto& part : state_->parts)
    part->find_anew(hash, now,
                    [asked](const expected<std::optional<caller>>& one) { asked->take(one); });
}

bool key_ring::opens(const storage::api_key_row& key) const {
  const auto* part = state_->part_of(key.id.shard());
  return part != nullptr && part->opens(key.hash);
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
  issued.row.hash = state_->hash.of(text);
  issued.row.live = live;
  issued.row.created_at = now;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(text.data(), text.size());
  return issued;
}

} // namespace holdfast::api
