#include "storage/chain.hpp"

#include "messages/assert.hpp"
#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "storage/binary.hpp"

#include <algorithm>
#include <unordered_map>

namespace holdfast::storage {

namespace {

/// What comes before an event's payload and before a leg's external reference, the length of
/// these included.
constexpr std::size_t event_bytes = 2 + 8 + 2 + 16 + 16 + 8 + 4;
constexpr std::size_t leg_bytes = 4 + 2 + 16 + 4 + 16 + 8 + 4;

template <class... Field>
void append_all(std::string& out, std::size_t bytes, const Field&... fields) {
  const auto at = out.size();
  out.resize(at + bytes);
  char* end = out.data() + at;
  ((end = put(end, fields)), ...);
  HF_ASSERT(end == out.data() + out.size());
}

std::int32_t length_of(std::string_view bytes) {
  return static_cast<std::int32_t>(bytes.size());
}

uuid hash_to_id(std::string_view name) {
  const auto hash = sha256(name);
  uuid id;
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
  return id;
}

/// A shard has few accounts, and they come again and again: to look an id up is cheaper than to
/// hash the name.
class known_ids {
public:
  const uuid& of(const std::string& name) {
    if (const auto found = ids_.find(name); found != ids_.end())
      return found->second;
    if (ids_.size() >= limits::account_ids_in_memory_max)
      ids_.clear();
    return ids_.emplace(name, hash_to_id(name)).first->second;
  }

private:
  std::unordered_map<std::string, uuid> ids_;
};

} // namespace

std::string empty_chain() {
  return std::string(chain_bytes, '\0');
}

void chain_link::begin(shard_number shard, sequence_number seq, event_type type,
                       const uuid& merchant, const uuid& subject, timestamp at,
                       std::string_view payload) {
  canonical_.clear();
  append_all(canonical_, event_bytes + payload.size(), static_cast<std::int16_t>(shard.value),
             seq.value, static_cast<std::int16_t>(type), merchant, subject,
             std::int64_t{at.time_since_epoch().count()}, length_of(payload), payload);
}

void chain_link::add_leg(std::int32_t posting, posting_kind kind, const uuid& subject,
                         std::uint32_t ordinal, const uuid& account, minor_units amount,
                         std::string_view external_ref) {
  append_all(canonical_, leg_bytes + external_ref.size(), posting,
             static_cast<std::int16_t>(kind), subject, static_cast<std::int32_t>(ordinal),
             account, amount.value(), length_of(external_ref), external_ref);
}

void chain_link::advance(std::string& head) const {
  HF_ASSERT(head.size() == chain_bytes);
  const auto next = sha256_of({head, canonical_});
  std::ranges::copy(next, head.begin());
}

uuid account_id(shard_number shard, const account& which) {
  thread_local known_ids known;
  std::string name = std::to_string(shard.value);
  name.append("|").append(to_string(which.kind)).append("|");
  name.append(which.owner).append("|").append(which.unit.code());
  return known.of(name);
}

} // namespace holdfast::storage
