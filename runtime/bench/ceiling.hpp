// What the journal writer does when nothing stands before or behind it: synthetic payments, no
// HTTP, no actors, no gateway. No mode can be faster.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <functional>
#include <string>

namespace holdfast::bench {

/// Authorized payments a second, two durable writes each, with bench_ceiling_writes writes
/// under way. Owns the shards of that database meanwhile. Blocking. `check` is asked now and
/// then: an error ends it. Errors: unavailable, what `check` says.
[[nodiscard]] expected<double> run_ceiling(const std::string& database_url, milliseconds length,
                                           const std::function<expected<void>()>& check);

} // namespace holdfast::bench
