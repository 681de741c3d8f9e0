#include "messages/time.hpp"

#include <optional>

namespace holdfast {

namespace {

/// Reads the text from the left; every step says whether it fitted.
class cursor {
public:
  explicit cursor(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  [[nodiscard]] bool take(char wanted) noexcept {
    if (rest_.empty() || rest_.front() != wanted)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Exactly `count` digits.
  [[nodiscard]] std::optional<int> number(std::size_t count) noexcept {
    if (rest_.size() < count)
      return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9')
        return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  /// One digit or more after the point, cut to microseconds.
  [[nodiscard]] std::optional<std::chrono::microseconds> fraction() noexcept {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      if (digits < 6)
        value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    if (digits == 0)
      return std::nullopt;
    for (; digits < 6; ++digits)
      value *= 10;
    return std::chrono::microseconds{value};
  }

private:
  std::string_view rest_;
};

std::optional<std::chrono::sys_days> take_date(cursor& in) {
  const auto year = in.number(4);
  if (!year || !in.take('-'))
    return std::nullopt;
  const auto month = in.number(2);
  if (!month || !in.take('-'))
    return std::nullopt;
  const auto day = in.number(2);
  if (!day)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date};
}

std::optional<std::chrono::microseconds> take_time(cursor& in) {
  const auto hours = in.number(2);
  if (!hours || *hours > 23 || !in.take(':'))
    return std::nullopt;
  const auto minutes = in.number(2);
  if (!minutes || *minutes > 59 || !in.take(':'))
    return std::nullopt;
  const auto seconds = in.number(2);
  if (!seconds || *seconds > 59)
    return std::nullopt;
  std::chrono::microseconds time = std::chrono::hours{*hours} + std::chrono::minutes{*minutes}
                                   + std::chrono::seconds{*seconds};
  if (in.take('.')) {
    const auto fraction = in.fraction();
    if (!fraction)
      return std::nullopt;
    time += *fraction;
  }
  return time;
}

std::optional<std::chrono::minutes> take_offset(cursor& in) {
  if (in.take('Z') || in.take('z'))
    return std::chrono::minutes{0};
  const bool west = in.take('-');
  if (!west && !in.take('+'))
    return std::nullopt;
  const auto hours = in.number(2);
  if (!hours || *hours > 23 || !in.take(':'))
    return std::nullopt;
  const auto minutes = in.number(2);
  if (!minutes || *minutes > 59)
    return std::nullopt;
  const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return west ? -offset : offset;
}

std::optional<timestamp> read_rfc3339(std::string_view text) {
  cursor in{text};
  const auto date = take_date(in);
  if (!date || !(in.take('T') || in.take('t')))
    return std::nullopt;
  const auto time = take_time(in);
  if (!time)
    return std::nullopt;
  const auto offset = take_offset(in);
  if (!offset || !in.at_end())
    return std::nullopt;
  return timestamp{*date} + *time - *offset;
}

/// Over the digits that stand at `begin`.
void write_digits(std::string& text, std::size_t begin, std::size_t count, std::int64_t value) {
  for (auto at = begin + count; at > begin; value /= 10)
    text[--at] = static_cast<char>('0' + value % 10);
}

} // namespace

std::string to_rfc3339(timestamp at) {
  const auto days = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss time{at - days};
  std::string text = "0000-00-00T00:00:00.000000Z";
  write_digits(text, 0, 4, static_cast<int>(date.year()));
  write_digits(text, 5, 2, static_cast<unsigned>(date.month()));
  write_digits(text, 8, 2, static_cast<unsigned>(date.day()));
  write_digits(text, 11, 2, time.hours().count());
  write_digits(text, 14, 2, time.minutes().count());
  write_digits(text, 17, 2, time.seconds().count());
  write_digits(text, 20, 6, time.subseconds().count());
  return text;
}

expected<timestamp> parse_rfc3339(std::string_view text) {
  const auto at = read_rfc3339(text);
  if (!at)
    return make_error(errc::invalid_argument, "expected a time as in 2026-11-23T01:27:00Z");
  return *at;
}

timestamp wall_clock_now() noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(
    std::chrono::system_clock::now());
}

} // namespace holdfast
