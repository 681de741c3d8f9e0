// What a lease keeper asks of the tables of nodes and singletons: who lives, and who runs what
// runs once. Each function is one question with a deadline; its errors are the connection's.
#pragma once

#include "storage/lease_statements.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::storage {

/// A moment of ours by the database's clock. Rather too early than too late: whatever holds us
/// up meanwhile makes nothing younger than it is.
[[nodiscard]] expected<timestamp> database_time_of(const lease_context& in, steady_time moment);

/// Says that the node lives, for another lease. Of two processes with one name the one that
/// started later counts. Answers the incarnation of a later one that lives, if there is one;
/// then nothing was said.
[[nodiscard]] expected<std::optional<std::string>> introduce_node(const lease_context& in,
                                                                  const node_card& card,
                                                                  timestamp started_at);

/// It doesn't live any more, and whatever it alone ran may run elsewhere.
[[nodiscard]] expected<void> bury_node(const lease_context& in, const std::string& incarnation);

/// Takes those of the names that nobody holds, and renews those that are held by this process;
/// both for another lease. A namesake's run out first: it may not have ended yet.
[[nodiscard]] expected<std::vector<std::string>> hold_singletons(
  const lease_context& in, const std::string& incarnation,
  const std::vector<std::string>& names);

[[nodiscard]] expected<std::vector<node_row>> read_nodes(const lease_context& in);

} // namespace holdfast::storage
