// When a merchant's batch closes. Pure, but for the time-zone database that it reads.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::merchants {

struct settlement_terms {
  std::chrono::minutes cutoff{23 * 60 + 30}; ///< local time of day
  std::string zone = "UTC";                  ///< IANA name
  std::uint32_t items_max = 10'000;          ///< A batch closes early at so many items.
  /// After which a person is told that an acquirer doesn't answer; it is asked on, but slowly.
  milliseconds answer_deadline{24LL * 3600 * 1000};
  milliseconds silent_retry{15LL * 60 * 1000};
};

/// "23:30" to minutes after midnight. Errors: invalid_argument.
[[nodiscard]] expected<std::chrono::minutes> parse_time_of_day(std::string_view text);

/// Errors: invalid_argument, for a zone that the system's database doesn't know.
[[nodiscard]] expected<void> check_zone(const std::string& zone);

/// The latest cut-off at or before `now`. On the day when the clock jumps over the time, it is
/// the moment of the jump; when the time comes twice, the first.
[[nodiscard]] timestamp last_cutoff(const settlement_terms& terms, timestamp now);
/// The first cut-off after `now`.
[[nodiscard]] timestamp next_cutoff(const settlement_terms& terms, timestamp now);

} // namespace holdfast::merchants
