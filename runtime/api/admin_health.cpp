// Whether the node lives, whether it serves, and what it measures.
#include "messages/json_writer.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/version.hpp"

namespace holdfast::api {

namespace {

refusal not_ready(std::string detail) {
  return {.status = 503, .code = "not_ready", .detail = std::move(detail), .param = {}};
}

std::string render_health(std::string_view status) {
  json_writer json;
  json.begin_object().member("status", status).member("version", version());
  return json.member("commit", commit()).end_object().take();
}

} // namespace

void healthz_route(const admin_services_ptr&, const exchange_ptr& call) {
  call->send_json(200, render_health("ok"));
}

void readyz_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (!services->front.ready())
    return call->refuse(not_ready("Not all shards are owned and served yet."),
                        {{"Retry-After", "1"}});
  services->store.ping([call](const expected<bool>& answer) {
    if (!answer)
      return call->refuse(not_ready("The database does not answer."), {{"Retry-After", "1"}});
    call->send_json(200, render_health("ready"));
  });
}

void metrics_route(const admin_services_ptr& services, const exchange_ptr& call) {
  services->counts.read(services->options.now(), [services, call](const std::string& payments) {
    http::response answer;
    answer.status = 200;
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = services->metrics.render() + payments + services->front.metrics_text();
    call->send(std::move(answer));
  });
}

} // namespace holdfast::api
