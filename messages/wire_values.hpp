// The values that the journal's messages are made of, from our types to Protobuf's and back.
// For the codec's own sources only: it brings Protobuf with it.
#pragma once

#include "messages/events.hpp"
#include "messages/proto/journal.pb.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

namespace holdfast {

namespace wire = journal::v1;

inline std::string to_wire(const uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

inline std::int64_t to_wire(timestamp at) {
  return at.time_since_epoch().count();
}

inline timestamp to_time(std::int64_t microseconds) {
  return timestamp{std::chrono::microseconds{microseconds}};
}

inline void to_wire(const card_summary& card, wire::Card& out) {
  out.set_brand(card.brand);
  out.set_last4(card.last4);
  out.set_exp_month(card.exp_month);
  out.set_exp_year(card.exp_year);
}

using metadata_pairs = std::vector<std::pair<std::string, std::string>>;

inline void to_wire(const metadata_pairs& pairs,
                    google::protobuf::RepeatedPtrField<wire::Pair>& out) {
  for (const auto& [name, value] : pairs) {
    auto& pair = *out.Add();
    pair.set_name(name);
    pair.set_value(value);
  }
}

inline metadata_pairs from_wire(const google::protobuf::RepeatedPtrField<wire::Pair>& pairs) {
  metadata_pairs result;
  result.reserve(static_cast<std::size_t>(pairs.size()));
  for (const auto& pair : pairs)
    result.emplace_back(pair.name(), pair.value());
  return result;
}

inline void to_wire(const decline_info& decline, wire::Decline& out) {
  out.set_code(decline.code);
  out.set_message(decline.message);
}

inline decline_info from_wire(const wire::Decline& in) {
  return {in.code(), in.message()};
}

inline std::vector<std::string> from_wire(
  const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

/// Collects whether everything that was read made sense, so that a decoder reads like its
/// message.
class checked {
public:
  [[nodiscard]] bool ok() const noexcept { return ok_; }

  void that(bool makes_sense) noexcept { ok_ = ok_ && makes_sense; }

  uuid id(const std::string& bytes) {
    uuid result;
    ok_ = ok_ && bytes.size() == result.bytes.size();
    if (ok_)
      std::copy(bytes.begin(), bytes.end(), result.bytes.begin());
    return result;
  }

  currency unit(const std::string& code) {
    auto parsed = currency::parse(code);
    ok_ = ok_ && parsed.has_value();
    return parsed ? *parsed : currency{};
  }

  template <class Enum>
  Enum number(std::uint32_t value, Enum first, Enum last) {
    ok_ = ok_ && value >= static_cast<std::uint32_t>(first)
          && value <= static_cast<std::uint32_t>(last);
    return ok_ ? static_cast<Enum>(value) : first;
  }

  operation_kind kind(std::uint32_t value) {
    return number(value, operation_kind::capture, operation_kind::void_hold);
  }

  card_summary card(const wire::Card& in) {
    ok_ = ok_ && in.exp_month() <= std::numeric_limits<std::uint8_t>::max()
          && in.exp_year() <= std::numeric_limits<std::uint16_t>::max();
    return {in.brand(), in.last4(), static_cast<std::uint8_t>(in.exp_month()),
            static_cast<std::uint16_t>(in.exp_year())};
  }

private:
  bool ok_ = true;
};

template <class Message>
bool parse(std::string_view bytes, Message& message) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max())
         && message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

} // namespace holdfast
