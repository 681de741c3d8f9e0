#include "runtime/api/rate_limiter.hpp"

#include <algorithm>

namespace holdfast::api {

namespace {
constexpr std::int64_t request_cost = 1'000'000;
} // namespace

std::optional<std::uint32_t> rate_limiter::refuse(merchant_id merchant, timestamp now) {
  if (rate_ == 0)
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  const auto full = request_cost * rate_;
  const auto [entry, is_new] = buckets_.try_emplace(merchant, bucket{full, now});
  auto& state = entry->second;
  // One second fills a bucket, so a longer absence counts as one.
  const auto elapsed_us =
    std::clamp<std::int64_t>((now - state.filled_at).count(), 0, 1'000'000);
  state.micro_tokens = std::min(full, state.micro_tokens + elapsed_us * rate_);
  state.filled_at = now;
  if (state.micro_tokens >= request_cost) {
    state.micro_tokens -= request_cost;
    return std::nullopt;
  }
  const auto missing_us = (request_cost - state.micro_tokens) / rate_;
  return static_cast<std::uint32_t>(1 + missing_us / 1'000'000);
}

} // namespace holdfast::api
