#include "runtime/simulation/random.hpp"

#include "actors/payment/core.hpp"

#include <bit>

namespace holdfast::simulation {

namespace {

__extension__ using wide = unsigned __int128;

} // namespace

random::random(std::uint64_t seed) noexcept {
  payments::entropy filler{seed};
  for (auto& word : state_)
    word = filler.next();
}

std::uint64_t random::next() noexcept {
  const auto result = std::rotl(state_[1] * 5, 7) * 9;
  const auto shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t random::below(std::uint64_t bound) noexcept {
  return static_cast<std::uint64_t>((static_cast<wide>(next()) * bound) >> 64);
}

std::int64_t random::between(std::int64_t low, std::int64_t high) noexcept {
  return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
}

bool random::chance(std::uint32_t per_million) noexcept {
  if (per_million == 0)
    return false;
  return per_million >= 1'000'000 || below(1'000'000) < per_million;
}

std::chrono::microseconds random::span(std::chrono::microseconds low,
                                       std::chrono::microseconds high) noexcept {
  return std::chrono::microseconds{between(low.count(), high.count())};
}

} // namespace holdfast::simulation
