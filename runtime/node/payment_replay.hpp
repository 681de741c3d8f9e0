// Folds stored events by the payment's core: what `ledger verify` compares snapshots with.
#pragma once

#include "storage/store.hpp"

#include <vector>

namespace holdfast::runtime {

/// Errors: corrupt.
[[nodiscard]] expected<payment> replay_payment(const std::vector<storage::event_view>& events);

} // namespace holdfast::runtime
