// What is measured: ties the HTTP engine and the journal to the registry.
#pragma once

#include "runtime/http/server.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "storage/database.hpp"

#include <functional>
#include <string>

namespace holdfast::telemetry {

/// Counts requests and times them, by port ("public", "admin"), method, route and status. The
/// registry must outlive the server.
[[nodiscard]] http::access_observer observe_requests(registry& into, std::string port);

/// Shows how many connections the port has. `count` must stay callable as long as the registry
/// is.
void watch_connections(registry& into, std::string_view port,
                       std::function<std::size_t()> count);

/// Group-commit sizes and times. The registry must outlive the database.
[[nodiscard]] storage::commit_observer observe_commits(registry& into);

/// The journal's totals and the depth of its queue. `read` must stay callable as long as the
/// registry is.
void watch_journal(registry& into, std::function<storage::journal_figures()> read);

} // namespace holdfast::telemetry
