#include "storage/chain.hpp"

#include "messages/assert.hpp"
#include "messages/digest.hpp"
#include "storage/binary.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

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
  const auto head = sha256_of({previous, canonical_});
  return {reinterpret_cast<const char*>(head.data()), head.size()};
}

uuid account_id(shard_number shard, const account& which) {
  std::string name = std::to_string(shard.value);
  name.append("|").append(to_string(which.kind)).append("|");
  name.append(which.owner).append("|").append(which.unit.code());
  const auto hash = sha256(name);
  uuid id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

} // namespace holdfast::storage
