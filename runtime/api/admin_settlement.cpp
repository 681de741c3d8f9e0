// Batches and the cut-off on demand.
#include "messages/json_writer.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/batch_reading.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/query.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/strict_json.hpp"

#include <boost/json/object.hpp>

namespace holdfast::api {

namespace {

checked<runtime::cutoff_request> read_cutoff(std::string_view body) {
  runtime::cutoff_request order;
  if (body.empty())
    return order;
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"merchant", "settle"});
  if (fields.has("merchant")) {
    const auto merchant = merchant_id::parse(fields.required_text("merchant", 64));
    if (merchant)
      order.merchant = *merchant;
    else
      fields.refuse("merchant", "invalid_field", "Expected a merchant's id.");
  }
  order.settle = fields.flag("settle", false);
  if (refused)
    return *refused;
  return order;
}

std::string render_cutoff(const runtime::cutoff_result& result) {
  json_writer json;
  json.begin_object()
    .member("object", "cutoff")
    .member("complete", result.complete)
    .member("batches", result.batches)
    .member("items", result.items)
    .member("files", result.files)
    .member("reconciled", result.reconciled)
    .member("exceptions", result.exceptions)
    .member_or_null("detail", result.detail)
    .end_object();
  return json.take();
}

} // namespace

void list_all_batches_route(const admin_services_ptr& services, const exchange_ptr& call) {
  query_reader query{call->request(), {"merchant", "limit", "starting_after"}};
  const auto merchant = query.id<merchant_id>("merchant");
  const auto window = query.page<batch_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services->store.list_batches(merchant, window,
                               answer_with_list<storage::batch_view>(
                                 call, [](const auto& batch) { return render_batch(batch); }));
}

void show_any_batch_route(const admin_services_ptr& services, const exchange_ptr& call) {
  answer_with_batch(services->store, call, std::nullopt, batch_form::whole);
}

void list_any_batch_items_route(const admin_services_ptr& services, const exchange_ptr& call) {
  answer_with_batch(services->store, call, std::nullopt, batch_form::items_only);
}

void cutoff_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  const auto order = read_cutoff(call->request().body);
  if (!order)
    return call->refuse(order.error());
  services->front.cutoff(*order, services->options.cutoff_timeout,
                         [call](const runtime::cutoff_result& result) {
                           // What is not complete goes on by itself, hence 202.
                           call->send_json(result.complete ? 200 : 202, render_cutoff(result));
                         });
}

} // namespace holdfast::api
