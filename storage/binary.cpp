#include "storage/binary.hpp"

#include <limits>

namespace holdfast::storage {

namespace {

/// Microseconds from 1970 to PostgreSQL's own epoch, 2000-01-01.
constexpr std::int64_t pg_epoch_us = 946'684'800'000'000;

constexpr std::size_t array_header_bytes = 20;

template <class T>
void append_big_endian(std::string& out, T value) {
  for (int shift = static_cast<int>(sizeof(T) - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xff));
}

void write_int4(std::string& out, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    out[at + i] = static_cast<char>(value >> (24 - 8 * i) & 0xff);
}

} // namespace

void append_binary(std::string& out, bool value) {
  out.push_back(value ? 1 : 0);
}
void append_binary(std::string& out, std::int16_t value) {
  append_big_endian(out, value);
}
void append_binary(std::string& out, std::int32_t value) {
  append_big_endian(out, value);
}
void append_binary(std::string& out, std::int64_t value) {
  append_big_endian(out, value);
}
void append_binary(std::string& out, std::string_view value) {
  out.append(value);
}
void append_binary(std::string& out, byte_view value) {
  out.append(value.value);
}

void append_binary(std::string& out, const uuid& value) {
  out.append(reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size());
}

void append_binary(std::string& out, timestamp value) {
  append_big_endian(out, value.time_since_epoch().count() - pg_epoch_us);
}

timestamp from_pg_time(std::int64_t microseconds) noexcept {
  return timestamp{std::chrono::microseconds{microseconds + pg_epoch_us}};
}

namespace detail {

void begin_array(std::string& out, std::uint32_t element_type) {
  append_big_endian(out, std::int32_t{1}); // dimensions
  append_big_endian(out, std::int32_t{0}); // whether there are nulls, patched at the end
  append_big_endian(out, element_type);
  append_big_endian(out, std::int32_t{0}); // length, patched at the end
  append_big_endian(out, std::int32_t{1}); // the first index
}

void end_array(std::string& out, std::uint32_t element_type, std::size_t count, bool has_null) {
  HF_ASSERT(out.size() >= array_header_bytes
            && count <= std::size_t{std::numeric_limits<std::int32_t>::max()});
  if (count == 0) {
    // PostgreSQL's empty array has no dimension at all.
    out.assign(8, '\0');
    append_big_endian(out, element_type);
    return;
  }
  write_int4(out, 4, has_null ? 1 : 0);
  write_int4(out, 12, static_cast<std::uint32_t>(count));
}

void append_length(std::string& out, std::int32_t length) {
  append_big_endian(out, length);
}

void patch_length(std::string& out, std::size_t at) {
  const auto length = out.size() - at - 4;
  HF_ASSERT(length <= std::size_t{std::numeric_limits<std::int32_t>::max()});
  write_int4(out, at, static_cast<std::uint32_t>(length));
}

} // namespace detail

array_of<uuid> to_array(const std::vector<uuid>& ids) {
  array_of<uuid> column;
  for (const auto& id : ids)
    column.add(id);
  return column;
}

} // namespace holdfast::storage
