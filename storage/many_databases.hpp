// Several databases behind the interface of one: what is asked goes to the database of its
// shard.
#pragma once

#include "storage/database.hpp"

namespace holdfast::storage {

/// `parts` are the databases of the layout's ranges, in their order, at least two.
[[nodiscard]] std::unique_ptr<database> join_databases(
  shard_layout layout, std::vector<std::unique_ptr<database>> parts);

} // namespace holdfast::storage
