#include "tests/integration/api_client.hpp"

#include "runtime/http/target.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include <atomic>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;

namespace {

/// Above the 64 clients of the largest race.
constexpr std::size_t connections_max = 128;
/// Beyond the longest wait for an outcome and the grace after it.
constexpr milliseconds answer_limit{30'000};

const json::value* find(const json::value& document, std::string_view pointer) {
  boost::system::error_code absent;
  return document.find_pointer(pointer, absent);
}

api_answer to_answer(http::call_result result) {
  api_answer answer;
  answer.status = result.status;
  answer.headers = std::move(result.headers);
  answer.body = std::move(result.body);
  boost::system::error_code not_json;
  auto document = json::parse(answer.body, not_json);
  if (!not_json)
    answer.document = std::move(document);
  return answer;
}

} // namespace

std::string api_answer::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (field == name)
      return value;
  }
  return {};
}

bool api_answer::has(std::string_view pointer) const {
  return find(document, pointer) != nullptr;
}

const json::value& api_answer::at(std::string_view pointer) const {
  if (const auto* found = find(document, pointer))
    return *found;
  throw std::runtime_error("no " + std::string{pointer} + " in " + std::to_string(status) + ' '
                           + body);
}

std::string api_answer::text(std::string_view pointer) const {
  const auto& found = at(pointer);
  if (!found.is_string())
    throw std::runtime_error(std::string{pointer} + " is no text in " + body);
  return std::string{found.get_string()};
}

std::int64_t api_answer::number(std::string_view pointer) const {
  const auto& found = at(pointer);
  if (!found.is_int64())
    throw std::runtime_error(std::string{pointer} + " is no integer in " + body);
  return found.get_int64();
}

std::string fresh_key() {
  static std::atomic<unsigned> count{0};
  return "key-" + std::to_string(++count);
}

api_client::api_client(std::string url, std::string key)
  : url_(std::move(url)),
    key_(std::move(key)) {
  auto made = http::client::create(background_.io(),
                                   {.base_url = url_, .connections_max = connections_max});
  if (!made)
    throw std::runtime_error(url_ + ": " + made.error().detail);
  wire_ = std::move(*made);
}

std::uint16_t api_client::port() const {
  const auto parsed = http::parse_base_url(url_);
  if (!parsed)
    throw std::runtime_error(url_ + ": " + parsed.error().detail);
  return parsed->address.port;
}

http::call api_client::make_get(std::string target) const {
  http::call request;
  request.method = "GET";
  request.target = std::move(target);
  request.timeout = answer_limit;
  if (!key_.empty())
    request.headers.emplace_back("Authorization", "Bearer " + key_);
  return request;
}

http::call api_client::make_post(std::string target, std::string body,
                                 std::string idempotency_key) const {
  auto request = make_get(std::move(target));
  request.method = "POST";
  request.headers.emplace_back("Idempotency-Key",
                               idempotency_key.empty() ? fresh_key() : idempotency_key);
  if (!body.empty())
    request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  return request;
}

std::future<api_answer> api_client::begin(http::call request) {
  auto promise = std::make_shared<std::promise<api_answer>>();
  auto answer = promise->get_future();
  auto what = request.method + ' ' + url_ + request.target;
  wire_->send(std::move(request), [promise, what = std::move(what)](http::call_result result) {
    if (result.how_far == http::reach::answered)
      promise->set_value(to_answer(std::move(result)));
    else
      promise->set_exception(
        std::make_exception_ptr(std::runtime_error(what + ": " + result.failure)));
  });
  return answer;
}

api_answer api_client::send(http::call request) {
  return begin(std::move(request)).get();
}

std::vector<api_answer> api_client::send_all(std::vector<http::call> requests) {
  std::vector<std::future<api_answer>> awaited;
  for (auto& request : requests)
    awaited.push_back(begin(std::move(request)));
  std::vector<api_answer> answers;
  for (auto& one : awaited)
    answers.push_back(one.get());
  return answers;
}

std::string payment_order::body() const {
  std::string text = R"({"amount":)" + std::to_string(amount);
  text.append(R"(,"currency":")").append(currency);
  text.append(R"(","capture":")").append(capture).append(R"(","payment_method":{)");
  if (token.empty())
    text.append(R"("card":{"number":")")
      .append(card)
      .append(R"(","exp_month":12,"exp_year":2034,"cvc":"123"}})");
  else
    text.append(R"("token":")").append(token).append(R"("})");
  if (!further.empty())
    text.append(",").append(further);
  return text + '}';
}

} // namespace holdfast::test
