#include "storage/migrations/migrations.hpp"

#include <array>

namespace holdfast::storage {

std::span<const migration> all_migrations() noexcept {
  static const std::array all{migration{1, "base", migration_0001_base}};
  return all;
}

} // namespace holdfast::storage
