#include "storage/chain.hpp"

#include "messages/assert.hpp"
#include "storage/binary.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

namespace holdfast::storage {

namespace {

using digest = std::array<unsigned char, chain_bytes>;

/// A context a thread: fetching the algorithm anew costs more than hashing an event.
class sha256 {
public:
  sha256() : method_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    HF_ASSERT(method_ != nullptr && context_ != nullptr);
  }
  ~sha256() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(method_);
  }
  sha256(const sha256&) = delete;
  sha256& operator=(const sha256&) = delete;

  digest operator()(std::string_view first, std::string_view second = {}) {
    digest out{};
    unsigned int length = 0;
    const bool done = EVP_DigestInit_ex2(context_, method_, nullptr) == 1
                      && EVP_DigestUpdate(context_, first.data(), first.size()) == 1
                      && EVP_DigestUpdate(context_, second.data(), second.size()) == 1
                      && EVP_DigestFinal_ex(context_, out.data(), &length) == 1;
    HF_ASSERT(done && length == out.size());
    return out;
  }

private:
  EVP_MD* method_;
  EVP_MD_CTX* context_;
};

sha256& hasher() {
  thread_local sha256 instance;
  return instance;
}

void append_sized(std::string& out, std::string_view bytes) {
  append_binary(out, static_cast<std::int32_t>(bytes.size()));
  out.append(bytes);
}

} // namespace

std::string empty_chain() {
  return std::string(chain_bytes, '\0');
}

chain_link::chain_link(shard_number shard, sequence_number seq, event_type type,
                       const uuid& merchant, const uuid& subject, timestamp at,
                       std::string_view payload) {
  canonical_.reserve(64 + payload.size());
  append_binary(canonical_, static_cast<std::int16_t>(shard.value));
  append_binary(canonical_, seq.value);
  append_binary(canonical_, static_cast<std::int16_t>(type));
  append_binary(canonical_, merchant);
  append_binary(canonical_, subject);
  append_binary(canonical_, std::int64_t{at.time_since_epoch().count()});
  append_sized(canonical_, payload);
}

void chain_link::add_leg(std::int32_t posting, posting_kind kind, const uuid& subject,
                         std::uint32_t ordinal, const uuid& account, minor_units amount,
                         std::string_view external_ref) {
  append_binary(canonical_, posting);
  append_binary(canonical_, static_cast<std::int16_t>(kind));
  append_binary(canonical_, subject);
  append_binary(canonical_, static_cast<std::int32_t>(ordinal));
  append_binary(canonical_, account);
  append_binary(canonical_, amount.value());
  append_sized(canonical_, external_ref);
}

std::string chain_link::head_after(std::string_view previous) const {
  HF_ASSERT(previous.size() == chain_bytes);
  const auto head = hasher()(previous, canonical_);
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}

uuid account_id(shard_number shard, const account& which) {
  std::string name = std::to_string(shard.value);
  name.append("|").append(to_string(which.kind)).append("|");
  name.append(which.owner).append("|").append(which.unit.code());
  const auto hash = hasher()(name);
  uuid id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

std::string sha256_hex(std::string_view bytes) {
  std::string text;
  for (const auto byte : hasher()(bytes)) {
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 0xf]);
  }
  return text;
}

} // namespace holdfast::storage
