// The public API's route table: the single source for dispatch, for 404 and 405, for the
// metrics' labels and for the OpenAPI document.
#pragma once

#include "runtime/api/exchange.hpp"
#include "runtime/api/public_api.hpp"
#include "runtime/api/rate_limiter.hpp"

#include <span>
#include <string>
#include <string_view>

namespace holdfast::api {

/// What handlers work with. Lives as long as an exchange does.
struct public_services {
  storage::store& store;
  runtime::front& front;
  key_ring& keys;
  const routing& routes;
  public_options options;
  rate_limiter limiter;
  std::string openapi; ///< rendered once
};

enum class access : std::uint8_t {
  open,
  merchant, ///< an API key
  gateway,  ///< a signature over the body, which the handler checks
};

struct route_row {
  std::string_view method;
  std::string_view path;
  std::string_view name; ///< operationId
  std::string_view summary;
  access needs = access::merchant;
  std::string_view body;                   ///< schema of the request's body; empty: takes none
  std::string_view answer;                 ///< schema of every 2xx answer
  std::span<const std::string_view> query; ///< names of the parameters' components
  std::span<const std::uint16_t> statuses;
  void (*handle)(public_services&, const exchange_ptr&) = nullptr;
};

[[nodiscard]] std::span<const route_row> public_routes() noexcept;

// Handlers. The caller is identified wherever the row asks for it. payment_routes.cpp:
void create_payment_route(public_services& services, const exchange_ptr& call);
void capture_payment_route(public_services& services, const exchange_ptr& call);
void void_payment_route(public_services& services, const exchange_ptr& call);
void refund_payment_route(public_services& services, const exchange_ptr& call);
void note_evidence_route(public_services& services, const exchange_ptr& call);

// webhook_routes.cpp:
void receive_webhook_route(public_services& services, const exchange_ptr& call);

// read_routes.cpp:
void list_payments_route(public_services& services, const exchange_ptr& call);
void show_payment_route(public_services& services, const exchange_ptr& call);
void show_timeline_route(public_services& services, const exchange_ptr& call);
void show_refund_route(public_services& services, const exchange_ptr& call);
void list_disputes_route(public_services& services, const exchange_ptr& call);
void show_dispute_route(public_services& services, const exchange_ptr& call);
void list_balances_route(public_services& services, const exchange_ptr& call);
void list_entries_route(public_services& services, const exchange_ptr& call);
void list_batches_route(public_services& services, const exchange_ptr& call);
void show_batch_route(public_services& services, const exchange_ptr& call);
void list_batch_items_route(public_services& services, const exchange_ptr& call);
void list_events_route(public_services& services, const exchange_ptr& call);
void show_openapi_route(public_services& services, const exchange_ptr& call);

} // namespace holdfast::api
