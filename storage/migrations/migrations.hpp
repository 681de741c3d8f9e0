// The schema's history: forward-only, numbered from 1. A migration that has been released is
// never edited; what it got wrong is put right by the next one.
#pragma once

#include <span>
#include <string_view>

namespace holdfast::storage {

struct migration {
  int version;
  const char* title;
  const char* sql; ///< runs in one transaction together with its row in schema_version
};

[[nodiscard]] std::span<const migration> all_migrations() noexcept;

extern const char* const migration_0001_base;
extern const char* const migration_0002_key_retention;
extern const char* const migration_0003_webhooks;
extern const char* const migration_0004_disputes;
extern const char* const migration_0006_exceptions;
extern const char* const migration_0007_cluster;
extern const char* const migration_0008_journal_at_speed;
extern const char* const migration_0009_settlement_at_scale;
extern const char* const migration_0010_changed_keys;
extern const char* const migration_0011_settlement_in_one_place;

} // namespace holdfast::storage
