#include "storage/binary.hpp"

#include <limits>

namespace holdfast::storage {

namespace {

/// Enough for most columns of most transactions.
constexpr std::size_t first_room = 512;
constexpr std::size_t growth = 2;

} // namespace

timestamp from_pg_time(std::int64_t microseconds) noexcept {
  return timestamp{std::chrono::microseconds{microseconds + pg_epoch_us}};
}

void array_bytes::grow(std::size_t bytes) {
  bytes_.resize(std::max({first_room, growth * bytes_.size(), end_ + bytes}));
}

std::string array_bytes::take(std::uint32_t element_type, std::size_t count, bool has_null) {
  HF_ASSERT(end_ <= std::size_t{std::numeric_limits<std::int32_t>::max()});
  // PostgreSQL's empty array has no dimension at all.
  const std::int32_t dimensions = count == 0 ? 0 : 1;
  bytes_.resize(count == 0 ? 12 : end_);
  char* out = put(bytes_.data(), dimensions);
  out = put(out, std::int32_t{has_null});
  out = put(out, element_type);
  if (count != 0)
    put(put(out, static_cast<std::int32_t>(count)), std::int32_t{1}); // the first index
  return std::move(bytes_);
}

array_of<uuid> to_array(const std::vector<uuid>& ids) {
  array_of<uuid> column;
  for (const auto& id : ids)
    column.add(id);
  return column;
}

} // namespace holdfast::storage
