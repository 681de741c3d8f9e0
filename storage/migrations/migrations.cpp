#include "storage/migrations/migrations.hpp"

#include <array>

namespace holdfast::storage {

std::span<const migration> all_migrations() noexcept {
  static const std::array all{
    migration{1, "base", migration_0001_base},
    migration{2, "key_retention", migration_0002_key_retention},
    migration{3, "webhooks", migration_0003_webhooks},
    migration{4, "disputes", migration_0004_disputes},
    // 5 was given up before any release and is not used.
    migration{6, "exceptions", migration_0006_exceptions},
    migration{7, "cluster", migration_0007_cluster},
    migration{8, "journal_at_speed", migration_0008_journal_at_speed},
    migration{9, "settlement_at_scale", migration_0009_settlement_at_scale},
    migration{10, "changed_keys", migration_0010_changed_keys},
    migration{11, "settlement_in_one_place", migration_0011_settlement_in_one_place},
  };
  return all;
}

} // namespace holdfast::storage
