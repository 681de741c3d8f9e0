// The modes about payments whose outcome nobody knows: what a node does with them after its
// death, and what they weigh.
#pragma once

#include "runtime/bench/measurement.hpp"

#include <memory>

namespace holdfast::bench {

// Both must outlive it.
[[nodiscard]] std::unique_ptr<measurement> make_recovering(const bench_options& options,
                                                           site& where);
[[nodiscard]] std::unique_ptr<measurement> make_holding(const bench_options& options,
                                                        site& where);

} // namespace holdfast::bench
