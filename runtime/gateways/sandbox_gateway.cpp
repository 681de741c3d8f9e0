#include "runtime/gateways/sandbox_gateway.hpp"

#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/http/client.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace holdfast::gateways {

namespace {

namespace json = boost::json;

std::string authorization_path(const gateway_request& request) {
  return "/authorizations/" + request.reference;
}

void write_card(json_writer& out, const card_data& card) {
  out.key("card").begin_object();
  out.member("number", card.number.reveal())
    .member("exp_month", card.exp_month)
    .member("exp_year", card.exp_year)
    .member("cvc", card.cvc.reveal());
  out.end_object();
}

std::string authorize_body(const gateway_request& request) {
  json_writer out;
  out.begin_object();
  out.member("reference", request.reference)
    .member("amount", request.total.amount.value())
    .member("currency", request.total.unit.code())
    .member("merchant", request.merchant);
  if (request.token.empty())
    write_card(out, request.card);
  else
    out.member("token", request.token);
  out.end_object();
  return std::move(out).take();
}

std::string operation_body(const gateway_request& request) {
  json_writer out;
  out.begin_object();
  out.member("operation_reference", request.operation_reference)
    .member("amount", request.total.amount.value());
  if (request.verb == gateway_verb::capture)
    out.member("final", request.final);
  out.end_object();
  return std::move(out).take();
}

http::call to_call(const gateway_request& request) {
  http::call call;
  switch (request.verb) {
    case gateway_verb::authorize:
      call.target = "/authorizations";
      call.body = authorize_body(request);
      break;
    case gateway_verb::inquire:
      call.method = "GET";
      call.target = authorization_path(request);
      break;
    case gateway_verb::reverse: call.target = authorization_path(request) + "/reverse"; break;
    case gateway_verb::capture:
      call.target = authorization_path(request) + "/capture";
      call.body = operation_body(request);
      break;
    case gateway_verb::refund:
      call.target = authorization_path(request) + "/refund";
      call.body = operation_body(request);
      break;
  }
  if (call.method == "POST")
    call.headers.emplace_back("content-type", "application/json");
  if (!request.traceparent.empty())
    call.headers.emplace_back("traceparent", request.traceparent);
  return call;
}

// -- what an answer proves
// ----------------------------------------------------------------------------

gateway_answer unknown(std::string code) {
  return {gateway_verdict::unknown, {}, std::move(code), {}};
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                : std::string_view{};
}

/// The amount and currency must be those that were asked for, where the answer tells them.
bool has_our_amount(const json::object& answer, const gateway_request& request) {
  const auto* amount = answer.if_contains("amount");
  return amount != nullptr && amount->is_int64()
         && amount->get_int64() == request.total.amount.value()
         && text_of(answer, "currency") == request.total.unit.code();
}

/// The answer must speak of what was asked, in every member that says what that is. Why it
/// doesn't; empty when it does.
std::string_view mismatch_of(const json::object& answer, const gateway_request& request) {
  // A void is a reversal of the authorization: the gateway knows no reference of its own for
  // it.
  const bool of_operation =
    request.verb != gateway_verb::reverse && !request.operation_reference.empty();
  const auto reference = text_of(answer, of_operation ? "operation_reference" : "reference");
  if (reference != (of_operation ? request.operation_reference : request.reference))
    return "other_reference";
  // A reversal tells of no amount where it came before the authorization; nor does the answer
  // to what was reversed before it came. Nothing is held either way, whatever the amount was.
  if (text_of(answer, "status") == "reversed" || request.verb == gateway_verb::reverse)
    return {};
  return has_our_amount(answer, request) ? std::string_view{} : "other_amount";
}

/// What we could not write down, or find again, is no reference.
bool is_reference(std::string_view text) {
  return text.size() <= limits::reference_bytes_max
         && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

gateway_answer judge_status(const json::object& answer, const gateway_request& request) {
  const auto status = text_of(answer, "status");
  gateway_answer judged;
  if (!is_reference(text_of(answer, "gateway_reference"))) {
    judged.code = "bad_reference";
    return judged;
  }
  judged.gateway_reference = text_of(answer, "gateway_reference");
  judged.code = text_of(answer, "code");
  judged.message = text_of(answer, "message");
  const auto as = [&](gateway_verdict verdict) {
    judged.verdict = verdict;
    return judged;
  };
  switch (request.verb) {
    case gateway_verb::authorize:
    case gateway_verb::inquire:
      if (status == "approved" && !judged.gateway_reference.empty())
        return as(gateway_verdict::approved);
      if (status == "declined")
        return as(gateway_verdict::declined);
      if (status == "reversed") {
        judged.code = "reversed";
        judged.message = "The authorization was reversed.";
        return as(gateway_verdict::declined);
      }
      break;
    case gateway_verb::reverse:
      if (status == "reversed")
        return as(gateway_verdict::approved);
      // Captured meanwhile: asking again would change nothing.
      if (status == "refused")
        return as(gateway_verdict::declined);
      break;
    case gateway_verb::capture:
    case gateway_verb::refund:
      if (status == "succeeded")
        return as(gateway_verdict::approved);
      if (status == "refused")
        return as(gateway_verdict::declined);
      break;
  }
  return unknown("unexpected_status");
}

gateway_answer judge(const http::call_result& result, const gateway_request& request) {
  switch (result.how_far) {
    case http::reach::not_sent: return {gateway_verdict::not_sent, {}, "not_sent", {}};
    case http::reach::no_answer: return unknown("no_answer");
    case http::reach::answered: break;
  }
  const bool may_be_absent = request.verb == gateway_verb::inquire && result.status == 404;
  if (result.status != 200 && !may_be_absent)
    return unknown("http_" + std::to_string(result.status));
  boost::system::error_code failure;
  const auto parsed = json::parse(result.body, failure);
  if (failure || !parsed.is_object())
    return unknown("not_json");
  const auto& answer = parsed.get_object();
  if (may_be_absent) {
    // A 404 of a proxy, or for a mistyped path, proves nothing.
    if (text_of(answer, "status") == "not_found"
        && text_of(answer, "reference") == request.reference)
      return {gateway_verdict::not_found, {}, "not_found", {}};
    return unknown("http_404");
  }
  if (const auto mismatch = mismatch_of(answer, request); !mismatch.empty())
    return unknown(std::string{mismatch});
  return judge_status(answer, request);
}

class sandbox_gateway final : public client {
public:
  explicit sandbox_gateway(std::unique_ptr<http::client> wire) : wire_(std::move(wire)) {}

  void send(gateway_request request, milliseconds timeout,
            std::function<void(gateway_answer)> done) override {
    auto call = to_call(request);
    call.timeout = timeout;
    request.card = {}; // It has done its work; the answer is judged without it.
    wire_->send(std::move(call), [request = std::move(request), done = std::move(done)](
                                   http::call_result result) { done(judge(result, request)); });
  }

private:
  std::unique_ptr<http::client> wire_;
};

} // namespace

expected<std::shared_ptr<client>> make_sandbox_gateway(boost::asio::io_context& io,
                                                       sandbox_gateway_options options) {
  http::client_options wire;
  wire.base_url = std::move(options.url);
  wire.connections_max = options.connections_max;
  wire.waiting_max = limits::gateway_waiting_max;
  wire.body_bytes_max = limits::gateway_body_bytes_max;
  auto made = http::client::create(io, std::move(wire));
  if (!made)
    return made.error();
  return std::shared_ptr<client>{std::make_shared<sandbox_gateway>(std::move(*made))};
}

} // namespace holdfast::gateways
