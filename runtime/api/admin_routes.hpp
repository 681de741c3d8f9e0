// The admin API's route table and its handlers, by subject.
#pragma once

#include "runtime/api/admin_api.hpp"
#include "runtime/api/exchange.hpp"
#include "runtime/api/payment_counts.hpp"

#include <atomic>
#include <span>
#include <string_view>

namespace holdfast::api {

/// What handlers work with. Lives as long as an exchange does.
struct admin_services {
  storage::store& store;
  runtime::front& front;
  key_ring& keys;
  telemetry::registry& metrics;
  admin_options options;
  payment_counts counts;
  std::atomic<bool> is_verifying{false}; ///< One proof at a time: each reads the whole ledger.
};

using admin_services_ptr = std::shared_ptr<admin_services>;

struct admin_row {
  std::string_view method;
  std::string_view path;
  void (*handle)(const admin_services_ptr&, const exchange_ptr&) = nullptr;
};

[[nodiscard]] std::span<const admin_row> admin_routes() noexcept;

// admin_health.cpp:
void healthz_route(const admin_services_ptr& services, const exchange_ptr& call);
void readyz_route(const admin_services_ptr& services, const exchange_ptr& call);
void metrics_route(const admin_services_ptr& services, const exchange_ptr& call);

// admin_merchants.cpp:
void list_merchants_route(const admin_services_ptr& services, const exchange_ptr& call);
void create_merchant_route(const admin_services_ptr& services, const exchange_ptr& call);
void list_keys_route(const admin_services_ptr& services, const exchange_ptr& call);
void create_key_route(const admin_services_ptr& services, const exchange_ptr& call);
void revoke_key_route(const admin_services_ptr& services, const exchange_ptr& call);

// admin_node.cpp:
void list_nodes_route(const admin_services_ptr& services, const exchange_ptr& call);
void list_shards_route(const admin_services_ptr& services, const exchange_ptr& call);
void move_shards_route(const admin_services_ptr& services, const exchange_ptr& call);

// admin_gateways.cpp:
void list_gateways_route(const admin_services_ptr& services, const exchange_ptr& call);
void trip_gateway_route(const admin_services_ptr& services, const exchange_ptr& call);
void reset_gateway_route(const admin_services_ptr& services, const exchange_ptr& call);
void list_routes_route(const admin_services_ptr& services, const exchange_ptr& call);
void reload_routes_route(const admin_services_ptr& services, const exchange_ptr& call);

// admin_settlement.cpp:
void list_all_batches_route(const admin_services_ptr& services, const exchange_ptr& call);
void show_any_batch_route(const admin_services_ptr& services, const exchange_ptr& call);
void list_any_batch_items_route(const admin_services_ptr& services, const exchange_ptr& call);
void cutoff_route(const admin_services_ptr& services, const exchange_ptr& call);

// admin_exceptions.cpp:
void list_exceptions_route(const admin_services_ptr& services, const exchange_ptr& call);
void show_exception_route(const admin_services_ptr& services, const exchange_ptr& call);
void resolve_exception_route(const admin_services_ptr& services, const exchange_ptr& call);
void assign_exception_route(const admin_services_ptr& services, const exchange_ptr& call);
void resubmit_batch_route(const admin_services_ptr& services, const exchange_ptr& call);
void list_dead_letters_route(const admin_services_ptr& services, const exchange_ptr& call);
void replay_dead_letter_route(const admin_services_ptr& services, const exchange_ptr& call);

// admin_ledger.cpp:
void show_any_payment_route(const admin_services_ptr& services, const exchange_ptr& call);
void show_any_timeline_route(const admin_services_ptr& services, const exchange_ptr& call);
void verify_ledger_route(const admin_services_ptr& services, const exchange_ptr& call);
void ledger_balances_route(const admin_services_ptr& services, const exchange_ptr& call);
void export_ledger_route(const admin_services_ptr& services, const exchange_ptr& call);
void statement_route(const admin_services_ptr& services, const exchange_ptr& call);

} // namespace holdfast::api
