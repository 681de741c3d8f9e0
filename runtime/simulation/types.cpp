#include "runtime/simulation/types.hpp"

#include <charconv>

namespace holdfast::simulation {

payment_id make_payment_id(timestamp now, shard_number shard, std::uint64_t random,
                           payment_ref payment) noexcept {
  return payment_id::make(now, shard, random << 32 | payment);
}

payment_ref ref_of(const uuid& id) noexcept {
  payment_ref value = 0;
  for (std::size_t i = 12; i < 16; ++i)
    value = value << 8 | id.bytes[i];
  return value;
}

attempt_name parse_attempt(std::string_view reference) noexcept {
  constexpr std::size_t dot_at = 4 + 32;
  attempt_name name;
  if (reference.size() < dot_at + 2)
    return {};
  const auto* begin = reference.data();
  std::from_chars(begin + dot_at - 8, begin + dot_at, name.payment, 16);
  std::from_chars(begin + dot_at + 1, begin + reference.size(), name.attempt);
  return name;
}

} // namespace holdfast::simulation
