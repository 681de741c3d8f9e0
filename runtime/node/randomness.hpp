// Where a node's ids and its jitter come from.
#pragma once

#include <cstdint>

namespace holdfast::runtime {

/// 64 bits nobody can guess. Thread-safe: each thread draws from OpenSSL for many calls at
/// once, because a draw costs more than most of what is done with it.
[[nodiscard]] std::uint64_t random_bits();

} // namespace holdfast::runtime
