// Identifiers: 128 bits, sortable by time, that carry their shard; shown as a prefix and 32
// hexadecimal digits, which PostgreSQL reads as a uuid as they stand.
//
// Layout (a UUID of version 8, RFC 9562): 48 bits milliseconds since the epoch, 4 bits version,
// 12 random bits, 2 bits variant, 14 bits shard, 48 random bits.
#pragma once

#include "messages/expected.hpp"
#include "messages/shard.hpp"
#include "messages/time.hpp"

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace holdfast {

/// The untyped 128 bits, as storage sees them. All zero means "none".
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Both halves as they lie in memory: what compares and hashes them needs no order.
  [[nodiscard]] std::array<std::uint64_t, 2> words() const noexcept {
    return std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
  }

  [[nodiscard]] bool is_nil() const noexcept { return *this == uuid{}; }
  friend auto operator<=>(const uuid&, const uuid&) noexcept = default;
  friend bool operator==(const uuid& one, const uuid& other) noexcept {
    const auto [a, b] = one.words();
    const auto [c, d] = other.words();
    return ((a ^ c) | (b ^ d)) == 0;
  }
};

[[nodiscard]] uuid make_uuid(timestamp now, shard_number shard, std::uint64_t random) noexcept;
[[nodiscard]] shard_number shard_of(const uuid& id) noexcept;
[[nodiscard]] std::string to_hex(const uuid& id);
/// `pay_` and 32 digits, for the prefix "pay".
[[nodiscard]] std::string to_text(std::string_view prefix, const uuid& id);
/// 32 lower-case hexadecimal digits. Errors: invalid_argument.
[[nodiscard]] expected<uuid> parse_hex(std::string_view digits);

/// An id of one kind of object; `Tag::prefix` is what stands before the underscore.
template <class Tag>
struct typed_id {
  uuid value;

  [[nodiscard]] bool is_nil() const noexcept { return value.is_nil(); }
  [[nodiscard]] shard_number shard() const noexcept { return shard_of(value); }
  [[nodiscard]] std::string text() const { return to_text(Tag::prefix, value); }

  /// Errors: invalid_argument, also for the prefix of another kind.
  [[nodiscard]] static expected<typed_id> parse(std::string_view text) {
    constexpr std::string_view prefix = Tag::prefix;
    if (text.size() <= prefix.size() || !text.starts_with(prefix) || text[prefix.size()] != '_')
      return make_error(errc::invalid_argument,
                        "expected an id that begins with " + std::string{prefix} + "_");
    auto value = parse_hex(text.substr(prefix.size() + 1));
    if (!value)
      return value.error();
    return typed_id{*value};
  }

  [[nodiscard]] static typed_id make(timestamp now, shard_number shard,
                                     std::uint64_t random) noexcept {
    return typed_id{make_uuid(now, shard, random)};
  }

  friend auto operator<=>(const typed_id&, const typed_id&) noexcept = default;
};

struct payment_tag {
  static constexpr std::string_view prefix = "pay";
};
struct capture_tag {
  static constexpr std::string_view prefix = "cap";
};
struct refund_tag {
  static constexpr std::string_view prefix = "ref";
};
struct merchant_tag {
  static constexpr std::string_view prefix = "mer";
};
struct key_tag {
  static constexpr std::string_view prefix = "key";
};
struct batch_tag {
  static constexpr std::string_view prefix = "bat";
};
struct file_tag {
  static constexpr std::string_view prefix = "fil";
};
struct exception_tag {
  static constexpr std::string_view prefix = "exc";
};
struct dispute_tag {
  static constexpr std::string_view prefix = "dsp";
};

struct dead_letter_tag {
  static constexpr std::string_view prefix = "dlt";
};

using payment_id = typed_id<payment_tag>;
using capture_id = typed_id<capture_tag>;
using refund_id = typed_id<refund_tag>;
using merchant_id = typed_id<merchant_tag>;
using key_id = typed_id<key_tag>;
using batch_id = typed_id<batch_tag>;
using file_id = typed_id<file_tag>;
using exception_id = typed_id<exception_tag>;
using dispute_id = typed_id<dispute_tag>;
using dead_letter_id = typed_id<dead_letter_tag>;

/// `evt_` and 20 hexadecimal digits: 4 of the shard, 16 of the sequence number. Sortable within
/// a shard, and the cursor of the merchant's feed.
[[nodiscard]] std::string event_id_text(shard_number shard, sequence_number seq);

struct event_position {
  shard_number shard;
  sequence_number seq;
};

/// Errors: invalid_argument.
[[nodiscard]] expected<event_position> parse_event_id(std::string_view text);

} // namespace holdfast

template <>
struct std::hash<holdfast::uuid> {
  std::size_t operator()(const holdfast::uuid& id) const noexcept {
    // The ids of one moment and shard differ in their last bytes only, so both halves are
    // mixed.
    const auto [begin, end] = id.words();
    auto mixed = begin * 0x9e3779b97f4a7c15U ^ end;
    mixed ^= mixed >> 32;
    mixed *= 0xd6e8feb86659fd93U;
    mixed ^= mixed >> 32;
    return static_cast<std::size_t>(mixed);
  }
};

template <class Tag>
struct std::hash<holdfast::typed_id<Tag>> {
  std::size_t operator()(const holdfast::typed_id<Tag>& id) const noexcept {
    return std::hash<holdfast::uuid>{}(id.value);
  }
};
