#include "storage/migrations/migrations.hpp"

#include <array>

namespace holdfast::storage {

std::span<const migration> all_migrations() noexcept {
  static const std::array all{migration{1, "base", migration_0001_base},
                              migration{2, "key_retention", migration_0002_key_retention}};
  return all;
}

} // namespace holdfast::storage
