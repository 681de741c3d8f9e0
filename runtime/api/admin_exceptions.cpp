// What waits for people: exceptions, refused batches and dead letters, and the orders that end
// them.
#include "actors/reconciler/resolution.hpp"
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/query.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/strict_json.hpp"

#include <boost/json/object.hpp>

namespace holdfast::api {

namespace {

/// Who did it, as long as operators have no names of their own on this port.
constexpr std::string_view operator_name = "operator";
constexpr std::size_t word_bytes_max = 64;

expected<std::string> parse_exception_status(std::string_view given) {
  if (given != "open" && given != "resolved")
    return make_error(errc::invalid_argument, "Expected open or resolved.");
  return std::string{given};
}

expected<std::string> parse_letter_status(std::string_view given) {
  if (given != "waiting" && given != "replayed")
    return make_error(errc::invalid_argument, "Expected waiting or replayed.");
  return std::string{given};
}

/// What the shard's owner refuses is told in its own words: it says what is allowed.
void refuse_order(const exchange& call, const error& failure) {
  const auto as = [&](std::uint16_t status, std::string_view code) {
    call.refuse(refusal{.status = status, .code = code, .detail = failure.detail, .param = {}});
  };
  switch (failure.code) {
    case errc::not_found: return as(404, "not_found");
    case errc::invalid_argument: return as(422, "not_allowed");
    case errc::invalid_state: return as(409, "invalid_state");
    case errc::unavailable: return as(503, "unavailable");
    case errc::unknown_outcome: return as(504, "unknown_outcome");
    default: return call.refuse(failure);
  }
}

/// Sends the order, and answers with the exception as it stands then.
void order_about_exception(const admin_services_ptr& services, const exchange_ptr& call,
                           desk_order what) {
  using found = std::optional<storage::exception_view>;
  const auto show = [services, call](const found& view) {
    if (!view)
      return call->refuse_absent("exception");
    call->send_json(200, render_exception_case(*view, services->options.now()));
  };
  services->front.order(
    std::move(what), [services, call, show](const expected<exception_id>& done) {
      if (!done)
        return refuse_order(*call, done.error());
      services->store.find_exception(*done, unless_failed<found>(call, show));
    });
}

checked<desk_order> read_resolution(std::string_view body) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"resolution", "note", "amount", "by"});
  desk_order order;
  order.verb = order_verb::resolve;
  order.resolution = fields.required_text("resolution", word_bytes_max);
  order.note = fields.required_text("note", limits::exception_note_bytes_max);
  order.by = fields.text("by", limits::exception_owner_bytes_max);
  if (order.by.empty())
    order.by = operator_name;
  if (fields.has("amount"))
    order.amount = minor_units{fields.required_integer("amount", 0, limits::amount_minor_max)};
  if (refused)
    return *refused;
  return order;
}

checked<desk_order> read_assignment(std::string_view body) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"owner", "note"});
  desk_order order;
  order.verb = order_verb::assign;
  order.owner = fields.required_text("owner", limits::exception_owner_bytes_max);
  order.note = fields.text("note", limits::exception_note_bytes_max, text_form::many_lines);
  if (refused)
    return *refused;
  return order;
}

checked<desk_order> read_resubmission(std::string_view body) {
  desk_order order;
  order.verb = order_verb::resubmit_batch;
  order.by = operator_name;
  order.note = "resubmitted";
  if (body.empty())
    return order;
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"note"});
  if (fields.has("note"))
    order.note = fields.required_text("note", limits::exception_note_bytes_max);
  if (refused)
    return *refused;
  return order;
}

} // namespace

void list_exceptions_route(const admin_services_ptr& services, const exchange_ptr& call) {
  query_reader query{call->request(),
                     {"class", "status", "merchant", "limit", "starting_after"}};
  storage::exception_filter filter;
  filter.status = query.parsed<std::string>("status", parse_exception_status).value_or("");
  filter.kind = query.text("class");
  filter.merchant = query.id<merchant_id>("merchant");
  filter.window = query.page<exception_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services->store.list_exceptions(
    std::move(filter),
    answer_with_list<storage::exception_view>(
      call, [now = services->options.now()](const storage::exception_view& one) {
        return render_exception_case(one, now);
      }));
}

void show_exception_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using found = std::optional<storage::exception_view>;
  const auto id = id_in_path<exception_id>(*call, "exception");
  if (!id)
    return;
  const auto show = [services, call](const found& view) {
    if (!view)
      return call->refuse_absent("exception");
    call->send_json(200, render_exception_case(*view, services->options.now()));
  };
  services->store.find_exception(*id, unless_failed<found>(call, show));
}

void resolve_exception_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  const auto id = id_in_path<exception_id>(*call, "exception");
  if (!id)
    return;
  auto order = read_resolution(call->request().body);
  if (!order)
    return call->refuse(order.error());
  order->exception = *id;
  order_about_exception(services, call, std::move(*order));
}

void assign_exception_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  const auto id = id_in_path<exception_id>(*call, "exception");
  if (!id)
    return;
  auto order = read_assignment(call->request().body);
  if (!order)
    return call->refuse(order.error());
  order->exception = *id;
  order_about_exception(services, call, std::move(*order));
}

void resubmit_batch_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  const auto id = id_in_path<batch_id>(*call, "batch");
  if (!id)
    return;
  auto order = read_resubmission(call->request().body);
  if (!order)
    return call->refuse(order.error());
  order->batch = *id;
  order_about_exception(services, call, std::move(*order));
}

void list_dead_letters_route(const admin_services_ptr& services, const exchange_ptr& call) {
  query_reader query{call->request(), {"status", "limit", "starting_after"}};
  auto status = query.parsed<std::string>("status", parse_letter_status).value_or("");
  const auto window = query.page<dead_letter_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services->store.list_dead_letters(
    std::move(status), window,
    answer_with_list<storage::dead_letter_view>(call, render_dead_letter));
}

void replay_dead_letter_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using found = std::optional<storage::dead_letter_view>;
  const auto id = id_in_path<dead_letter_id>(*call, "dead letter");
  if (!id)
    return;
  const auto show = [call](const found& letter) {
    if (!letter)
      return call->refuse_absent("dead letter");
    call->send_json(200, render_dead_letter(*letter));
  };
  desk_order order;
  order.verb = order_verb::replay;
  order.letter = *id;
  services->front.order(
    std::move(order), [services, call, show, id = *id](const expected<exception_id>& done) {
      if (!done)
        return refuse_order(*call, done.error());
      services->store.find_dead_letter(id, unless_failed<found>(call, show));
    });
}

} // namespace holdfast::api
