// Reads the three sides that the audit compares: payments and merchants' books through the API,
// facts from the sandbox. Blocking.
#pragma once

#include "messages/expected.hpp"
#include "runtime/demo/audit.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::demo {

/// Hands on the records of the sandbox after number `after`, for whoever needs but little of
/// millions. Errors: unavailable.
[[nodiscard]] expected<void> for_each_record(const std::string& sandbox_url, std::int64_t after,
                                             const std::function<void(sandbox_record)>& take);

/// All of them.
[[nodiscard]] expected<std::vector<sandbox_record>> read_records(const std::string& sandbox_url,
                                                                 std::int64_t after = 0);

/// All payments of the merchant whose key this is. Errors: as json_client's.
[[nodiscard]] expected<std::vector<payment_seen>> read_payments(const std::string& http_url,
                                                                const std::string& api_key);

} // namespace holdfast::demo
