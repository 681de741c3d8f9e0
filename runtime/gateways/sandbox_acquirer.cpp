#include "runtime/gateways/sandbox_acquirer.hpp"

#include "messages/ids.hpp"
#include "messages/limits.hpp"
#include "runtime/http/client.hpp"

#include <boost/json.hpp>

#include <optional>

namespace holdfast::acquirers {

namespace {

namespace json = boost::json;

http::call to_call(acquirer_request request) {
  http::call call;
  call.target = "/files/" + request.file;
  call.method = "GET";
  switch (request.verb) {
    case acquirer_verb::submit_file:
      call.method = "PUT";
      call.headers.emplace_back("content-type", "text/csv");
      call.headers.emplace_back("x-file-sha256", std::move(request.sha256));
      call.body = std::move(request.content);
      break;
    case acquirer_verb::fetch_results: call.target += "/results"; break;
    case acquirer_verb::fetch_report: call.target += "/report"; break;
  }
  return call;
}

std::optional<uuid> parse_operation(std::string_view text) {
  if (auto capture = capture_id::parse(text))
    return capture->value;
  if (auto refund = refund_id::parse(text))
    return refund->value;
  return std::nullopt;
}

std::optional<storage::item_verdict> parse_verdict(std::string_view text) {
  if (text == "accepted")
    return storage::item_verdict::accepted;
  if (text == "rejected")
    return storage::item_verdict::rejected;
  if (text == "deferred")
    return storage::item_verdict::deferred;
  return std::nullopt;
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                : std::string_view{};
}

/// None when anything of it is not as documented: then it decides nothing.
std::optional<std::vector<storage::item_result>> parse_results(std::string_view body) {
  boost::system::error_code failure;
  const auto parsed = json::parse(body, failure);
  if (failure || !parsed.is_object() || text_of(parsed.get_object(), "status") != "done")
    return std::nullopt;
  const auto* items = parsed.get_object().if_contains("items");
  if (items == nullptr || !items->is_array())
    return std::nullopt;
  std::vector<storage::item_result> results;
  results.reserve(items->get_array().size());
  for (const auto& entry : items->get_array()) {
    if (!entry.is_object())
      return std::nullopt;
    const auto& item = entry.get_object();
    const auto operation = parse_operation(text_of(item, "operation"));
    const auto verdict = parse_verdict(text_of(item, "result"));
    if (!operation || !verdict)
      return std::nullopt;
    results.push_back({*operation, *verdict, std::string{text_of(item, "code")}});
  }
  return results;
}

acquirer_answer judge(acquirer_verb verb, http::call_result result) {
  acquirer_answer answer;
  answer.body = std::move(result.body);
  if (result.how_far != http::reach::answered)
    return answer;
  if (result.status == 422 && verb == acquirer_verb::submit_file) {
    answer.verdict = acquirer_verdict::refused;
    return answer;
  }
  if (result.status == 202 && verb != acquirer_verb::submit_file) {
    answer.verdict = acquirer_verdict::pending;
    return answer;
  }
  if (result.status != 200 && result.status != 202)
    return answer;
  if (verb == acquirer_verb::fetch_results) {
    auto results = parse_results(answer.body);
    if (!results)
      return answer;
    answer.results = std::move(*results);
  }
  answer.verdict = acquirer_verdict::done;
  return answer;
}

class sandbox_acquirer final : public client {
public:
  explicit sandbox_acquirer(std::unique_ptr<http::client> wire) : wire_(std::move(wire)) {}

  void send(acquirer_request request, milliseconds timeout,
            std::function<void(acquirer_answer)> done) override {
    const auto verb = request.verb;
    auto call = to_call(std::move(request));
    call.timeout = timeout;
    wire_->send(std::move(call), [verb, done = std::move(done)](http::call_result result) {
      done(judge(verb, std::move(result)));
    });
  }

private:
  std::unique_ptr<http::client> wire_;
};

} // namespace

expected<std::shared_ptr<client>> make_sandbox_acquirer(boost::asio::io_context& io,
                                                        std::string url) {
  http::client_options wire;
  wire.base_url = std::move(url);
  wire.connections_max = limits::acquirer_in_flight_max;
  wire.waiting_max = limits::acquirer_waiting_max;
  auto made = http::client::create(io, std::move(wire));
  if (!made)
    return made.error();
  return std::shared_ptr<client>{std::make_shared<sandbox_acquirer>(std::move(*made))};
}

} // namespace holdfast::acquirers
