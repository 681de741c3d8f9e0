#include "runtime/api/public_api.hpp"

#include "runtime/api/authentication.hpp"
#include "runtime/api/dispatch.hpp"
#include "runtime/api/openapi.hpp"
#include "runtime/api/public_routes.hpp"

namespace holdfast::api {

namespace {

dispatcher make_dispatcher() {
  std::vector<route_shape> shapes;
  for (const auto& row : public_routes())
    shapes.push_back({row.method, row.path});
  return dispatcher{std::move(shapes)};
}

} // namespace

/// Shared with the key ring's callbacks.
struct public_api::state : std::enable_shared_from_this<public_api::state> {
  state(storage::store& store, runtime::front& front, key_ring& keys, const routing& routes,
        public_options options)
    : services{store,
               front,
               keys,
               routes,
               options,
               rate_limiter{options.requests_per_second},
               render_openapi(public_routes())} {}

  public_services services;
  dispatcher paths = make_dispatcher();

  void authenticate(const route_row& row, const exchange_ptr& call) {
    const auto key = read_bearer_key(call->request().headers);
    if (!key)
      return call->refuse(key.error(),
                          {{"WWW-Authenticate", std::string{challenge_for(key.error())}}});
    services.keys.find(
      *key, services.options.now(),
      [self = shared_from_this(), &row, call](const expected<std::optional<caller>>& found) {
        if (!found)
          return call->refuse(found.error());
        self->admit(row, call, *found);
      });
  }

  void admit(const route_row& row, const exchange_ptr& call, const std::optional<caller>& who) {
    if (!who) {
      const auto why = unknown_key();
      return call->refuse(why, {{"WWW-Authenticate", std::string{challenge_for(why)}}});
    }
    // Before its body is looked at: a node that has too much to do must not spend it on noes.
    if (row.method == "POST" && !services.front.takes_another())
      return call->refuse(make_error(errc::overloaded, "too many commands are under way"));
    const auto wait_s = services.limiter.refuse(who->merchant, services.options.now());
    if (wait_s)
      return call->refuse(
        {.status = 429,
         .code = "rate_limited",
         .detail = "This merchant sends more requests than it may; slow down.",
         .param = {}},
        {{"Retry-After", std::to_string(*wait_s)}});
    call->identify(*who);
    row.handle(services, call);
  }
};

public_api::public_api(storage::store& store, runtime::front& front, key_ring& keys,
                       const routing& routes, public_options options)
  : state_(std::make_shared<state>(store, front, keys, routes, std::move(options))) {}

public_api::~public_api() = default;

void public_api::handle(http::request request, http::responder respond) {
  const auto call = std::make_shared<exchange>(std::move(request), std::move(respond));
  const auto target = state_->paths.find(call->request().method, call->request().path);
  if (!assign_or_refuse(target, *call))
    return;
  const auto& row = public_routes()[*target.row];
  if (row.needs == access::merchant)
    state_->authenticate(row, call);
  else
    row.handle(state_->services, call);
}

} // namespace holdfast::api
