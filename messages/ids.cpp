#include "messages/ids.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast {

namespace {

constexpr std::string_view event_prefix = "evt_";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t hex_size = 2 * sizeof(uuid);

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

void append_hex(std::string& out, std::uint64_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out.push_back(hex_digits[(value >> shift) & 0xf]);
}

/// Writes `hex_size` characters.
void write_hex(char* to, const uuid& id) {
  for (const auto byte : id.bytes) {
    *to++ = hex_digits[byte >> 4];
    *to++ = hex_digits[byte & 0xf];
  }
}

} // namespace

uuid make_uuid(timestamp now, shard_number shard, std::uint64_t random) noexcept {
  const auto since = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  const auto time_ms = static_cast<std::uint64_t>(since);
  uuid id;
  const auto put = [&id](std::size_t index, std::uint64_t value) {
    id.bytes[index] = static_cast<std::uint8_t>(value & 0xff);
  };
  for (std::size_t i = 0; i < 6; ++i)
    put(i, time_ms >> (40 - 8 * i));
  put(6, 0x80 | (random >> 56 & 0x0f)); // version 8, four random bits
  put(7, random >> 48);                 // eight more
  put(8, 0x80 | (shard.value >> 8 & 0x3f));
  put(9, shard.value);
  for (std::size_t i = 0; i < 6; ++i)
    put(10 + i, random >> (40 - 8 * i));
  return id;
}

shard_number shard_of(const uuid& id) noexcept {
  return shard_number{static_cast<std::uint16_t>((id.bytes[8] & 0x3f) << 8 | id.bytes[9])};
}

std::string to_hex(const uuid& id) {
  std::string text(hex_size, '\0');
  write_hex(text.data(), id);
  return text;
}

std::string to_text(std::string_view prefix, const uuid& id) {
  std::string text(prefix.size() + 1 + hex_size, '_');
  prefix.copy(text.data(), prefix.size());
  write_hex(text.data() + prefix.size() + 1, id);
  return text;
}

expected<uuid> parse_hex(std::string_view digits) {
  if (digits.size() != hex_size)
    return make_error(errc::invalid_argument, "expected 32 hexadecimal digits");
  uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const auto high = hex_value(digits[2 * i]);
    const auto low = hex_value(digits[2 * i + 1]);
    if (high < 0 || low < 0)
      return make_error(errc::invalid_argument, "expected lower-case hexadecimal digits");
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

std::string event_id_text(shard_number shard, sequence_number seq) {
  std::string text{event_prefix};
  append_hex(text, shard.value, 4);
  append_hex(text, static_cast<std::uint64_t>(seq.value), 16);
  return text;
}

expected<event_position> parse_event_id(std::string_view text) {
  if (text.size() != event_prefix.size() + 20 || !text.starts_with(event_prefix))
    return make_error(errc::invalid_argument, "expected an id that begins with evt_");
  const auto digits = text.substr(event_prefix.size());
  if (!std::ranges::all_of(digits, [](char c) { return hex_value(c) >= 0; }))
    return make_error(errc::invalid_argument, "expected lower-case hexadecimal digits");
  std::uint16_t shard = 0;
  std::int64_t seq = 0;
  std::from_chars(digits.data(), digits.data() + 4, shard, 16);
  const auto parsed = std::from_chars(digits.data() + 4, digits.data() + 20, seq, 16);
  if (parsed.ec != std::errc{} || shard >= (1 << 14))
    return make_error(errc::invalid_argument, "no event can have this id");
  return event_position{shard_number{shard}, sequence_number{seq}};
}

} // namespace holdfast
