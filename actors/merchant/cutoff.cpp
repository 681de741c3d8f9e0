#include "actors/merchant/cutoff.hpp"

#include <date/tz.h>

#include <charconv>

namespace holdfast::merchants {

namespace {

/// The cut-off of a local day, as an instant.
timestamp cutoff_of_day(const settlement_terms& terms, const date::time_zone& zone,
                        date::local_days day) {
  const auto local = day + terms.cutoff;
  const auto instant = zone.to_sys(local, date::choose::earliest);
  return std::chrono::time_point_cast<std::chrono::microseconds>(instant);
}

date::local_days local_day(const date::time_zone& zone, timestamp now) {
  return date::floor<date::days>(zone.to_local(now));
}

/// Calls `pick` with the cut-offs of the days around `now`, in order, until it says yes.
template <class Pick>
timestamp search(const settlement_terms& terms, timestamp now, int first, int step, Pick pick) {
  const auto& zone = *date::locate_zone(terms.zone);
  const auto today = local_day(zone, now);
  for (int offset = first;; offset += step) {
    const auto at = cutoff_of_day(terms, zone, today + date::days{offset});
    if (pick(at))
      return at;
  }
}

} // namespace

expected<std::chrono::minutes> parse_time_of_day(std::string_view text) {
  const auto wrong = [&] {
    return make_error(errc::invalid_argument,
                      "expected a time of day like 23:30, got \"" + std::string{text} + '"');
  };
  unsigned hours = 0;
  unsigned minutes = 0;
  if (text.size() != 5 || text[2] != ':')
    return wrong();
  const auto* begin = text.data();
  const auto first = std::from_chars(begin, begin + 2, hours);
  const auto second = std::from_chars(begin + 3, begin + 5, minutes);
  if (first.ptr != begin + 2 || second.ptr != begin + 5 || hours > 23 || minutes > 59)
    return wrong();
  return std::chrono::minutes{hours * 60 + minutes};
}

expected<void> check_zone(const std::string& zone) {
  try {
    static_cast<void>(date::locate_zone(zone));
    return {};
  } catch (const std::exception&) {
    return make_error(errc::invalid_argument,
                      "expected an IANA time zone like Europe/Berlin, got \"" + zone + '"');
  }
}

timestamp last_cutoff(const settlement_terms& terms, timestamp now) {
  return search(terms, now, 1, -1, [now](timestamp at) { return at <= now; });
}

timestamp next_cutoff(const settlement_terms& terms, timestamp now) {
  return search(terms, now, -1, 1, [now](timestamp at) { return at > now; });
}

} // namespace holdfast::merchants
