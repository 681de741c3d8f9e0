#include "messages/entry_id.hpp"

#include "messages/ids.hpp"

#include <charconv>

namespace holdfast {

namespace {

// An entry's id is that of its event, with another prefix and the leg behind it.
constexpr std::string_view entry_prefix = "ent_";
constexpr std::string_view event_prefix = "evt_";
constexpr std::size_t event_digits = 20;
constexpr std::size_t leg_digits = 4;

} // namespace

std::string entry_id::text() const {
  auto text = event_id_text(shard, seq);
  text.replace(0, event_prefix.size(), entry_prefix);
  for (int shift = 12; shift >= 0; shift -= 4)
    text += "0123456789abcdef"[(leg >> shift) & 0xF];
  return text;
}

expected<entry_id> entry_id::parse(std::string_view text) {
  if (text.size() != entry_prefix.size() + event_digits + leg_digits
      || !text.starts_with(entry_prefix))
    return make_error(errc::invalid_argument, "expected an id that begins with ent_");
  const auto event = parse_event_id(
    std::string{event_prefix} + std::string{text.substr(entry_prefix.size(), event_digits)});
  const auto digits = text.substr(entry_prefix.size() + event_digits);
  const bool lower_case =
    digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!event || !lower_case)
    return make_error(errc::invalid_argument, "expected lower-case hexadecimal digits");
  entry_id id{event->shard, event->seq};
  std::from_chars(digits.data(), digits.data() + digits.size(), id.leg, 16);
  return id;
}

} // namespace holdfast
