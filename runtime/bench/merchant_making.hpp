// Merchants by the thousand, made over the admin API as operators make them.
#pragma once

#include "messages/expected.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::bench {

struct merchant_order {
  std::size_t count = 0;
  std::uint16_t stripes = 1;
};

/// Their API keys. Blocking; `check` is asked now and then: an error ends it. Errors:
/// unavailable, what `check` says.
[[nodiscard]] expected<std::vector<std::string>> make_merchants(
  const std::string& admin_url, merchant_order wanted,
  const std::function<expected<void>()>& check);

} // namespace holdfast::bench
