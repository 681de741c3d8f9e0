// Whether the node lives, whether it serves, and what it measures.
#include "messages/json_writer.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/version.hpp"

namespace holdfast::api {

namespace {

refusal not_ready(std::string detail) {
  return {.status = 503, .code = "not_ready", .detail = std::move(detail), .param = {}};
}

json_writer begin_health(std::string_view status) {
  json_writer json;
  json.begin_object().member("status", status).member("version", version());
  json.member("commit", commit());
  return json;
}

std::string render_ready(const std::vector<std::string>& warnings) {
  auto json = begin_health("ready");
  json.key("warnings").begin_array();
  for (const auto& warning : warnings)
    json.value(warning);
  return json.end_array().end_object().take();
}

} // namespace

void healthz_route(const admin_services_ptr&, const exchange_ptr& call) {
  call->send_json(200, begin_health("ok").end_object().take());
}

void readyz_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto reason = services->front.waiting_for(); !reason.empty())
    return call->refuse(not_ready(reason), {{"Retry-After", "1"}});
  services->store.ping([services, call](const expected<bool>& answer) {
    if (!answer)
      return call->refuse(not_ready("The database does not answer."), {{"Retry-After", "1"}});
    call->send_json(200, render_ready(services->front.warnings()));
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
