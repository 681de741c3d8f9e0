#include "runtime/api/admin_api.hpp"

#include "messages/assert.hpp"
#include "runtime/api/admin_routes.hpp"

namespace holdfast::api {

namespace {

dispatcher make_dispatcher() {
  std::vector<route_shape> shapes;
  for (const auto& row : admin_routes())
    shapes.push_back({row.method, row.path});
  return dispatcher{std::move(shapes)};
}

/// The admin port asks for no key: whoever reaches it is an operator. A browser reaches it for
/// any page that its user looks at, and says so by these headers (RFC 6454, W3C Fetch
/// Metadata).
bool is_from_a_web_page(const http::request& request) {
  if (request.has_header("origin"))
    return true;
  const auto site = request.header("sec-fetch-site");
  return !site.empty() && site != "none";
}

} // namespace

struct admin_api::state {
  admin_services_ptr services;
  dispatcher paths = make_dispatcher();
};

admin_api::admin_api(storage::store& store, runtime::front& front, key_ring& keys,
                     telemetry::registry& metrics, admin_options options) {
  HF_ASSERT(options.random && options.fold && options.now);
  state_ = std::make_shared<state>();
  state_->services.reset(
    new admin_services{store, front, keys, metrics, std::move(options), payment_counts{store}});
}

admin_api::~admin_api() = default;

void admin_api::handle(http::request request, http::responder respond) {
  const auto call = std::make_shared<exchange>(std::move(request), std::move(respond));
  if (is_from_a_web_page(call->request()))
    return call->refuse({.status = 403,
                         .code = "forbidden",
                         .detail = "The admin port is for tools, not for web pages.",
                         .param = {}});
  const auto target = state_->paths.find(call->request().method, call->request().path);
  if (assign_or_refuse(target, *call))
    admin_routes()[*target.row].handle(state_->services, call);
}

} // namespace holdfast::api
