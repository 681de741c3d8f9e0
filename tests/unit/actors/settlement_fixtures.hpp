// A small settlement file for the tests of its format and of its reconciliation: two merchants'
// batches with the same acquirer.
#pragma once

#include "actors/reconciler/file_format.hpp"

#include <string>
#include <vector>

namespace holdfast::tests {

[[nodiscard]] file_id test_file();
[[nodiscard]] merchant_id test_merchant(std::uint64_t number);

/// Captures of 10.00 and 25.50 and a refund of 4.00 EUR of the first merchant, a capture of 300
/// JPY of the second.
[[nodiscard]] std::vector<storage::batch_content> test_batches();

[[nodiscard]] std::string reference_of(const storage::batch_item_view& item);

} // namespace holdfast::tests
