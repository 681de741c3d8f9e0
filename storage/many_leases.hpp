// The keepers of several databases as one: what is wanted is split by range, what is seen is
// merged.
#pragma once

#include "storage/database.hpp"

namespace holdfast::storage {

/// Starts a keeper of each part; they are the databases of the layout's ranges, in their order,
/// and must outlive what is returned. "retention" is each keeper's own business, for each
/// sweeps its own database; all other singletons are held in the first database alone. `seen`
/// is said after each look at any of the databases, with what is known of all; the callbacks
/// come from several threads, but `seen` from one at a time. Of a younger process the first
/// word counts.
[[nodiscard]] std::unique_ptr<lease_keeper> join_keepers(const shard_layout& layout,
                                                         std::vector<database*> parts,
                                                         lease_events events);

} // namespace holdfast::storage
