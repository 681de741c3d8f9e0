// A token bucket for each merchant, so that one can't take the node from the others.
#pragma once

#include "messages/ids.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace holdfast::api {

/// Thread-safe. Holds one small row a merchant that has been seen; merchants are made by
/// operators alone, so their number bounds it.
class rate_limiter {
public:
  /// So many requests a second, and at most as many at once. 0: no limit.
  explicit rate_limiter(std::uint32_t requests_per_second) : rate_(requests_per_second) {}

  /// None: go on. Otherwise the whole seconds after which to try again, at least one. A clock
  /// that jumps back takes nothing away.
  [[nodiscard]] std::optional<std::uint32_t> refuse(merchant_id merchant, timestamp now);

private:
  struct bucket {
    std::int64_t micro_tokens = 0; ///< a request costs a million
    timestamp filled_at;
  };

  std::uint32_t rate_;
  std::mutex mutex_;
  std::unordered_map<merchant_id, bucket> buckets_;
};

} // namespace holdfast::api
