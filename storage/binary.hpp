// PostgreSQL's binary format for the few types that the schema uses: scalars and
// one-dimensional arrays on their way out. Reading is storage/connection.hpp's `row`.
#pragma once

#include "messages/assert.hpp"
#include "messages/ids.hpp"
#include "messages/money.hpp"

#include <cstdint>
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

// Each appends the value alone, without a length.
void append_binary(std::string& out, bool value);
void append_binary(std::string& out, std::int16_t value);
void append_binary(std::string& out, std::int32_t value);
void append_binary(std::string& out, std::int64_t value);
void append_binary(std::string& out, std::string_view value);
void append_binary(std::string& out, byte_view value);
void append_binary(std::string& out, const uuid& value);
void append_binary(std::string& out, timestamp value);

/// From PostgreSQL's microseconds since 2000 and back.
[[nodiscard]] timestamp from_pg_time(std::int64_t microseconds) noexcept;

namespace detail {
void begin_array(std::string& out, std::uint32_t element_type);
void end_array(std::string& out, std::uint32_t element_type, std::size_t count, bool has_null);
void append_length(std::string& out, std::int32_t length);
void patch_length(std::string& out, std::size_t at);
} // namespace detail

/// One array parameter, built element by element: a column of rows that go in by `unnest`.
template <class T>
class array_of {
  static_assert(pg_type<T> != 0, "no PostgreSQL type is known for this one");

public:
  array_of() { detail::begin_array(bytes_, pg_type<T>); }

  void add(const T& value) {
    const auto at = bytes_.size();
    detail::append_length(bytes_, 0);
    append_binary(bytes_, value);
    detail::patch_length(bytes_, at);
    ++count_;
  }

  void add_null() {
    detail::append_length(bytes_, -1);
    has_null_ = true;
    ++count_;
  }

  void add_optional(const std::optional<T>& value) { value ? add(*value) : add_null(); }

  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  /// The finished parameter; the builder is spent.
  [[nodiscard]] std::string take() {
    detail::end_array(bytes_, pg_type<T>, count_, has_null_);
    return std::move(bytes_);
  }

private:
  std::string bytes_;
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
