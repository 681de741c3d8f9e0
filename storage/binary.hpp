// PostgreSQL's binary format for the few types that the schema uses: scalars and
// one-dimensional arrays on their way out. Reading is storage/connection.hpp's `row`.
#pragma once

#include "messages/assert.hpp"
#include "messages/ids.hpp"
#include "messages/money.hpp"

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::storage {

/// bytea, where std::string_view stands for text.
struct byte_view {
  std::string_view value;
};

// PostgreSQL's built-in type numbers; fixed for ever in its catalogue.
template <class T>
inline constexpr std::uint32_t pg_type = 0;
template <>
inline constexpr std::uint32_t pg_type<bool> = 16;
template <>
inline constexpr std::uint32_t pg_type<byte_view> = 17;
template <>
inline constexpr std::uint32_t pg_type<std::int64_t> = 20;
template <>
inline constexpr std::uint32_t pg_type<std::int16_t> = 21;
template <>
inline constexpr std::uint32_t pg_type<std::int32_t> = 23;
template <>
inline constexpr std::uint32_t pg_type<std::string_view> = 25;
template <>
inline constexpr std::uint32_t pg_type<timestamp> = 1184;
template <>
inline constexpr std::uint32_t pg_type<uuid> = 2950;

/// The bytes that `put` writes of the value.
template <class T>
requires(pg_type<T> != 0) [[nodiscard]] constexpr std::size_t binary_size(const T&) noexcept {
  return sizeof(T);
}
[[nodiscard]] constexpr std::size_t binary_size(std::string_view text) noexcept {
  return text.size();
}
[[nodiscard]] constexpr std::size_t binary_size(byte_view bytes) noexcept {
  return bytes.value.size();
}

// Each writes the value alone, without a length, and returns the place behind it.
template <class T>
requires std::integral<T>
char* put(char* out, T value) noexcept {
  if constexpr (std::same_as<T, bool>) {
    return put(out, static_cast<std::uint8_t>(value));
  } else {
    const auto big = boost::endian::native_to_big(value);
    std::memcpy(out, &big, sizeof(big));
    return out + sizeof(big);
  }
}

inline char* put(char* out, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), out);
}

inline char* put(char* out, byte_view bytes) noexcept {
  return put(out, bytes.value);
}

inline char* put(char* out, const uuid& id) noexcept {
  static_assert(sizeof(id) == sizeof(id.bytes));
  std::memcpy(out, id.bytes.data(), sizeof(id));
  return out + sizeof(id);
}

/// Microseconds from 1970 to PostgreSQL's own epoch, 2000-01-01.
inline constexpr std::int64_t pg_epoch_us = 946'684'800'000'000;

inline char* put(char* out, timestamp at) noexcept {
  return put(out, std::int64_t{at.time_since_epoch().count()} - pg_epoch_us);
}

template <class T>
requires(pg_type<T> != 0) void append_binary(std::string& out, const T& value) {
  const auto at = out.size();
  out.resize(at + binary_size(value));
  put(out.data() + at, value);
}

/// From PostgreSQL's microseconds since 2000 and back.
[[nodiscard]] timestamp from_pg_time(std::int64_t microseconds) noexcept;

/// The bytes of an array, which grow seldom and by much.
class array_bytes {
public:
  /// Where the next element goes: so many bytes, its length included.
  [[nodiscard]] char* room_for(std::size_t bytes) {
    if (end_ + bytes > bytes_.size())
      grow(bytes);
    char* const place = bytes_.data() + end_;
    end_ += bytes;
    return place;
  }

  /// With its header; the builder is spent.
  [[nodiscard]] std::string take(std::uint32_t element_type, std::size_t count, bool has_null);

private:
  void grow(std::size_t bytes);

  std::string bytes_; ///< as long as there is room
  std::size_t end_ = header_bytes;

  static constexpr std::size_t header_bytes = 20;
};

/// One array parameter, built element by element: a column of rows that go in by `unnest`.
template <class T>
class array_of {
  static_assert(pg_type<T> != 0, "no PostgreSQL type is known for this one");

public:
  void add(const T& value) {
    const auto size = binary_size(value);
    char* const place = elements_.room_for(length_bytes + size);
    put(put(place, static_cast<std::int32_t>(size)), value);
    ++count_;
  }

  void add_null() {
    put(elements_.room_for(length_bytes), std::int32_t{-1});
    has_null_ = true;
    ++count_;
  }

  void add_optional(const std::optional<T>& value) { value ? add(*value) : add_null(); }

  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  /// The finished parameter; the builder is spent.
  [[nodiscard]] std::string take() { return elements_.take(pg_type<T>, count_, has_null_); }

private:
  static constexpr std::size_t length_bytes = sizeof(std::int32_t);

  array_bytes elements_;
  std::size_t count_ = 0;
  bool has_null_ = false;
};

/// The parameters of one execution, in the order of the statement's $1, $2, …
class parameters {
public:
  parameters() = default;

  template <class... T>
  [[nodiscard]] static parameters of(T&&... values) {
    parameters all;
    all.values_.reserve(sizeof...(values));
    (all.add(std::forward<T>(values)), ...);
    return all;
  }

  void add_null() { values_.emplace_back(); }

  template <class T>
  requires(pg_type<T> != 0) void add(const T& value) {
    append_binary(values_.emplace_back(std::in_place).value(), value);
  }

  void add(const std::string& text) { add(std::string_view{text}); }
  void add(const char* text) { add(std::string_view{text}); }
  void add(minor_units amount) { add(amount.value()); }
  void add(currency unit) { add(unit.code()); }
  void add(shard_number shard) { add(static_cast<std::int16_t>(shard.value)); }
  void add(epoch_number epoch) { add(epoch.value); }
  void add(sequence_number seq) { add(seq.value); }

  template <class Tag>
  void add(const typed_id<Tag>& id) {
    add(id.value);
  }

  template <class T>
  void add(const std::optional<T>& value) {
    if (value)
      add(*value);
    else
      add_null();
  }

  template <class T>
  void add(array_of<T>&& column) {
    values_.emplace_back(column.take());
  }

  [[nodiscard]] const std::vector<std::optional<std::string>>& values() const noexcept {
    return values_;
  }

private:
  std::vector<std::optional<std::string>> values_;
};

/// The ids as a uuid[].
[[nodiscard]] array_of<uuid> to_array(const std::vector<uuid>& ids);

} // namespace holdfast::storage
