// The one source of chance of a simulated world: the same seed makes the same stream, on every
// machine.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace holdfast::simulation {

/// xoshiro256** (Blackman, Vigna 2018; public domain), its state filled by SplitMix64.
class random {
public:
  explicit random(std::uint64_t seed) noexcept;

  [[nodiscard]] std::uint64_t next() noexcept;
  /// In [0, bound), by multiplication: no bias that a simulation could notice. 0 for 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept;
  /// In [low, high].
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) noexcept;
  /// True in so many of a million cases. Never and always cost no draw.
  [[nodiscard]] bool chance(std::uint32_t per_million) noexcept;
  [[nodiscard]] bool one_in(std::uint64_t cases) noexcept { return below(cases) == 0; }
  /// A span in [low, high], to the microsecond.
  [[nodiscard]] std::chrono::microseconds span(std::chrono::microseconds low,
                                               std::chrono::microseconds high) noexcept;

private:
  std::array<std::uint64_t, 4> state_{};
};

} // namespace holdfast::simulation
