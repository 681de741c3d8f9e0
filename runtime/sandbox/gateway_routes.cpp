// The routes of the gateways: authorizations, what is done to them, tokens.
#include "messages/assert.hpp"
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/http/target.hpp"
#include "runtime/http/text.hpp"
#include "runtime/sandbox/request_body.hpp"
#include "runtime/sandbox/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace holdfast::sandbox {

struct operation_target {
  fact_kind kind = fact_kind::capture;
  std::string_view gateway;
  std::string_view hold;
};

namespace {

http::response wrong_member(const request_body& body, const http::request& about) {
  return http::problem(400, "invalid_request", "The member is missing or wrong.", about,
                       body.wrong_member());
}

void write_code(json_writer& out, reason why) {
  if (why == reason::none)
    return;
  out.member("code", to_string(why)).member("message", describe(why));
}

/// An authorization as an inquiry shows it.
void write_hold(json_writer& out, const gateway_book& gateway, std::string_view reference,
                const hold& one) {
  out.begin_object().member("reference", reference).member("status", to_string(one.status));
  write_code(out, one.code);
  if (!one.is_tombstone()) {
    out.member("gateway_reference", gateway.gateway_reference(one));
    out.member("amount", one.amount_minor).member("currency", one.currency_code());
    out.member("captured", one.captured_minor).member("refunded", one.refunded_minor);
    out.member("seq", one.seq);
  }
  out.member("at", to_rfc3339(one.at)).end_object();
}

/// The answer to a call that was planned, in the words of its fact.
std::string write_answer(const fact& entry) {
  json_writer out;
  out.begin_object().member("status", to_string(entry.status));
  out.member(entry.hold.empty() ? "reference" : "operation_reference", entry.reference);
  if (!entry.hold.empty())
    out.member("reference", entry.hold);
  if (!entry.gateway_reference.empty())
    out.member("gateway_reference", entry.gateway_reference);
  if (!entry.currency.empty())
    out.member("amount", entry.amount_minor).member("currency", entry.currency);
  write_code(out, parse_reason(entry.code).value_or(reason::none));
  out.end_object();
  return out.take();
}

http::response not_found(std::string_view reference) {
  json_writer out;
  out.begin_object().member("status", "not_found").member("reference", reference).end_object();
  return json_answer(404, out.take());
}

std::size_t page_size(std::string_view text, std::size_t otherwise, std::size_t max) {
  std::size_t wanted = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, wanted);
  return failure == std::errc{} && stop == end && wanted > 0 ? std::min(wanted, max)
                                                             : otherwise;
}

} // namespace

void gateway_routes::handle(path_segments path, const http::request& asked,
                            http::responder answer) {
  const auto name = path.empty() ? std::string_view{} : path[0];
  if (!http::is_plain_name(name, limits::sandbox_name_bytes_max))
    return answer(no_such_route(asked));
  const auto& settings = core_.faults.settings(name);
  if (settings.is_out)
    return deliver({json_answer(503, R"({"status":"unavailable"})")}, settings.latency,
                   std::move(answer));
  deliver(route(path, asked, core_.faults.draw(name)), settings.latency, std::move(answer));
}

gateway_routes::outcome gateway_routes::route(path_segments path, const http::request& asked,
                                              delivery how) {
  const auto name = path[0];
  const bool is_post = asked.method == "POST";
  const bool is_get = asked.method == "GET";
  if (path.size() == 2 && path[1] == "tokens" && is_post)
    return make_token(name, asked, how);
  if (path.size() < 2 || path[1] != "authorizations")
    return {no_such_route(asked)};
  if (path.size() == 2 && is_post)
    return authorize(name, asked, how);
  if (path.size() == 2 && is_get)
    return list(name, asked, how);
  if (path.size() > 2 && !http::is_plain_name(path[2], limits::sandbox_name_bytes_max))
    return {no_such_route(asked)};
  if (path.size() == 3 && is_get)
    return inquire(name, path[2], how);
  if (path.size() == 4 && is_post && path[3] == "reverse")
    return reverse(name, path[2], asked, how);
  if (path.size() == 4 && is_post && path[3] == "capture")
    return operate({fact_kind::capture, name, path[2]}, asked, how);
  if (path.size() == 4 && is_post && path[3] == "refund")
    return operate({fact_kind::refund, name, path[2]}, asked, how);
  return {no_such_route(asked)};
}

void gateway_routes::deliver(outcome result, milliseconds latency, http::responder answer) {
  switch (result.how) {
    case delivery::normal: break;
    case delivery::slow: latency += core_.slow; break;
    case delivery::no_answer_charged:
    case delivery::no_answer_uncharged:
      // Silence first, then the end of the connection: nobody may keep it for ever.
      latency = core_.silence;
      result.answer.status = 0;
      break;
    case delivery::reset:
    case delivery::reset_uncharged: result.answer.status = 0; break;
    case delivery::http_500_charged:
    case delivery::http_500_uncharged:
      result.answer = json_answer(500, R"({"status":"error"})");
      break;
    case delivery::not_json:
      result.answer = json_answer(200, "<html><body>It works!</body></html>");
      break;
  }
  core_.delayed.send(latency, std::move(answer), std::move(result.answer));
}

gateway_routes::outcome gateway_routes::conclude(plan& planned, const http::request& asked,
                                                 delivery how) {
  auto& entry = planned.entry;
  const bool is_unknown = entry.code == to_string(reason::unknown_reference);
  if (!takes_effect(how)) {
    entry.effective = false;
    entry.status = fact_status::dropped;
    entry.code = {};
    entry.gateway_reference = {};
  }
  auto recorded = core_.record(entry);
  if (!recorded)
    return {problem_of(recorded.error(), asked)};
  if (is_unknown)
    return {not_found(entry.hold), how};
  return {json_answer(200, write_answer(entry)), how};
}

namespace {

struct card_verdict {
  reason verdict = reason::none;
  std::string last4;
};

/// Reads `card` or `token`. What it doesn't understand it notes in the body.
card_verdict read_card(request_body& body, const sandbox_state& state) {
  constexpr std::size_t number_digits_max = 32;
  if (body.has("token")) {
    const auto token = body.plain_name("token");
    return {state.find_token(token).value_or(reason::invalid_token), {}};
  }
  if (!body.enter("card"))
    return {};
  const auto number = body.text("number", number_digits_max);
  const auto month = static_cast<int>(body.number("exp_month", 1, 12));
  const auto year = static_cast<int>(body.number("exp_year", 2000, 9999));
  if (!body.wrong_member().empty())
    return {};
  const auto verdict = judge_card(number, month, year, wall_clock_now());
  return {verdict,
          std::string{number.substr(number.size() - std::min<std::size_t>(4, number.size()))}};
}

} // namespace

gateway_routes::outcome gateway_routes::authorize(std::string_view name,
                                                  const http::request& asked, delivery how) {
  auto body = request_body::parse(asked.body);
  if (!body)
    return {problem_of(body.error(), asked)};
  authorization_request request;
  request.reference = body->plain_name("reference");
  request.amount_minor = body->amount();
  request.currency = body->currency();
  const auto card = read_card(*body, core_.state);
  if (!body->wrong_member().empty())
    return {wrong_member(*body, asked)};
  request.verdict = card.verdict;
  request.last4 = card.last4;

  const auto gateway = core_.state.open_gateway(name);
  if (!gateway)
    return {problem_of(gateway.error(), asked)};
  plan planned;
  auto made = (*gateway)->plan_authorization(request, core_.log->next_seq(), planned);
  if (!made)
    return {problem_of(made.error(), asked)};
  // A repeated call is answered, so that whoever asks again learns the outcome.
  if (planned.is_new_hold && how == delivery::normal)
    how = delivery_of_amount(request.amount_minor);
  return conclude(planned, asked, how);
}

gateway_routes::outcome gateway_routes::reverse(std::string_view name,
                                                std::string_view reference,
                                                const http::request& asked, delivery how) {
  const auto gateway = core_.state.open_gateway(name);
  if (!gateway)
    return {problem_of(gateway.error(), asked)};
  plan planned;
  auto made = (*gateway)->plan_reversal(reference, planned);
  if (!made)
    return {problem_of(made.error(), asked)};
  return conclude(planned, asked, how);
}

gateway_routes::outcome gateway_routes::operate(const operation_target& target,
                                                const http::request& asked, delivery how) {
  auto body = request_body::parse(asked.body);
  if (!body)
    return {problem_of(body.error(), asked)};
  operation_request request;
  request.kind = target.kind;
  request.hold = target.hold;
  request.reference = body->plain_name("operation_reference");
  request.amount_minor = body->amount();
  request.final = body->flag("final");
  if (!body->wrong_member().empty())
    return {wrong_member(*body, asked)};
  const auto gateway = core_.state.open_gateway(target.gateway);
  if (!gateway)
    return {problem_of(gateway.error(), asked)};
  plan planned;
  auto made = (*gateway)->plan_operation(request, planned);
  if (!made)
    return {problem_of(made.error(), asked)};
  return conclude(planned, asked, how);
}

gateway_routes::outcome gateway_routes::inquire(std::string_view name,
                                                std::string_view reference, delivery how) {
  const auto* gateway = core_.state.find_gateway(name);
  const auto* known = gateway ? gateway->find_hold(reference) : nullptr;
  if (!known)
    return {not_found(reference), how};
  json_writer out;
  write_hold(out, *gateway, reference, *known);
  return {json_answer(200, out.take()), how};
}

gateway_routes::outcome gateway_routes::list(std::string_view name, const http::request& asked,
                                             delivery how) {
  constexpr std::size_t usual_page = 100;
  const auto since_text = http::query_value(asked.query, "since");
  const auto since =
    since_text.empty() ? expected<timestamp>{timestamp{}} : parse_rfc3339(since_text);
  const auto after = page_size(http::query_value(asked.query, "after"), 0, SIZE_MAX);
  const auto limit = page_size(http::query_value(asked.query, "limit"), usual_page,
                               limits::sandbox_authorizations_page_max);
  if (!since)
    return {http::problem(400, "invalid_request", "`since` is not a time.", asked, "since")};

  json_writer out;
  out.begin_object().key("authorizations").begin_array();
  bool has_more = false;
  if (const auto* gateway = core_.state.find_gateway(name)) {
    const auto& recent = gateway->recent();
    auto next = std::partition_point(recent.begin(), recent.end(), [&](const auto* one) {
      return one->second.at < *since || static_cast<std::size_t>(one->second.seq) <= after;
    });
    for (std::size_t count = 0; next != recent.end() && count < limit; ++next, ++count)
      write_hold(out, *gateway, (*next)->first, (*next)->second);
    has_more = next != recent.end();
  }
  out.end_array().member("has_more", has_more).end_object();
  return {json_answer(200, out.take()), how};
}

gateway_routes::outcome gateway_routes::make_token(std::string_view name,
                                                   const http::request& asked, delivery how) {
  auto body = request_body::parse(asked.body);
  if (!body)
    return {problem_of(body.error(), asked)};
  if (!body->has("card"))
    return {http::problem(400, "invalid_request", "A token is made of a card.", asked, "card")};
  const auto card = read_card(*body, core_.state);
  if (!body->wrong_member().empty())
    return {wrong_member(*body, asked)};
  if (core_.state.token_count() >= limits::sandbox_tokens_max)
    return {
      problem_of(make_error(errc::overloaded, "the sandbox keeps no more tokens"), asked)};

  constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string token = "tok_";
  for (int half = 0; half < 2; ++half) {
    auto bits = random_();
    for (int i = 0; i < 12; ++i, bits >>= 5)
      token.push_back(digits[bits & 31]);
  }
  fact entry;
  entry.kind = fact_kind::token;
  entry.status = takes_effect(how) ? fact_status::accepted : fact_status::dropped;
  entry.gateway = name;
  entry.token = token;
  entry.last4 = card.last4;
  entry.code = to_string(card.verdict);
  auto recorded = core_.record(entry);
  if (!recorded)
    return {problem_of(recorded.error(), asked)};
  json_writer out;
  out.begin_object().member("token", token).member("last4", card.last4).end_object();
  return {json_answer(200, out.take()), how};
}

} // namespace holdfast::sandbox
