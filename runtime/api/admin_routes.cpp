#include "runtime/api/admin_routes.hpp"

#include <array>

namespace holdfast::api {

namespace {

constexpr std::array rows{
  admin_row{"GET", "/healthz", &healthz_route},
  admin_row{"GET", "/readyz", &readyz_route},
  admin_row{"GET", "/metrics", &metrics_route},
  admin_row{"GET", "/admin/v1/merchants", &list_merchants_route},
  admin_row{"POST", "/admin/v1/merchants", &create_merchant_route},
  admin_row{"GET", "/admin/v1/keys", &list_keys_route},
  admin_row{"POST", "/admin/v1/keys", &create_key_route},
  admin_row{"POST", "/admin/v1/keys/{id}/revoke", &revoke_key_route},
  admin_row{"GET", "/admin/v1/nodes", &list_nodes_route},
  admin_row{"GET", "/admin/v1/shards", &list_shards_route},
  admin_row{"POST", "/admin/v1/shards/move", &move_shards_route},
  admin_row{"GET", "/admin/v1/gateways", &list_gateways_route},
  admin_row{"POST", "/admin/v1/gateways/{name}/trip", &trip_gateway_route},
  admin_row{"POST", "/admin/v1/gateways/{name}/reset", &reset_gateway_route},
  admin_row{"GET", "/admin/v1/routes", &list_routes_route},
  admin_row{"POST", "/admin/v1/routes/reload", &reload_routes_route},
  admin_row{"GET", "/admin/v1/batches", &list_all_batches_route},
  admin_row{"GET", "/admin/v1/batches/{id}", &show_any_batch_route},
  admin_row{"GET", "/admin/v1/batches/{id}/items", &list_any_batch_items_route},
  admin_row{"POST", "/admin/v1/batches/{id}/resubmit", &resubmit_batch_route},
  admin_row{"GET", "/admin/v1/exceptions", &list_exceptions_route},
  admin_row{"GET", "/admin/v1/exceptions/{id}", &show_exception_route},
  admin_row{"POST", "/admin/v1/exceptions/{id}/resolve", &resolve_exception_route},
  admin_row{"POST", "/admin/v1/exceptions/{id}/assign", &assign_exception_route},
  admin_row{"GET", "/admin/v1/dead_letters", &list_dead_letters_route},
  admin_row{"POST", "/admin/v1/dead_letters/{id}/replay", &replay_dead_letter_route},
  admin_row{"GET", "/admin/v1/payments/{id}", &show_any_payment_route},
  admin_row{"GET", "/admin/v1/payments/{id}/timeline", &show_any_timeline_route},
  admin_row{"POST", "/admin/v1/cutoff", &cutoff_route},
  admin_row{"GET", "/admin/v1/ledger/verify", &verify_ledger_route},
  admin_row{"POST", "/admin/v1/ledger/verify", &verify_ledger_route},
  admin_row{"GET", "/admin/v1/ledger/balances", &ledger_balances_route},
  admin_row{"GET", "/admin/v1/ledger/export", &export_ledger_route},
  admin_row{"GET", "/admin/v1/statement", &statement_route},
};

} // namespace

std::span<const admin_row> admin_routes() noexcept {
  return rows;
}

} // namespace holdfast::api
