#include "runtime/client/json_client.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/http/client.hpp"
#include "runtime/http/target.hpp"

#include <boost/json.hpp>

namespace holdfast::client {

namespace json = boost::json;

namespace {

/// What a problem document says, or the bare status where there is none.
error refusal(const http::call_result& answer) {
  boost::system::error_code bad;
  const auto body = json::parse(answer.body, bad);
  const auto* document = bad ? nullptr : body.if_object();
  auto detail = document ? string_at(*document, "detail") : std::string{};
  if (detail.empty())
    detail = "HTTP " + std::to_string(answer.status);
  if (const auto param = document ? string_at(*document, "param") : std::string{};
      !param.empty())
    detail += " (" + param + ')';
  switch (answer.status) {
    case 404: return make_error(errc::not_found, std::move(detail));
    case 409: return make_error(errc::invalid_state, std::move(detail));
    case 429:
    case 503: return make_error(errc::overloaded, std::move(detail));
    default:
      return make_error(answer.status < 500 ? errc::invalid_argument : errc::unavailable,
                        std::move(detail));
  }
}

} // namespace

json_client::json_client(std::string url, std::string bearer)
  : url_(std::move(url)),
    bearer_(std::move(bearer)) {}

expected<http::call_result> json_client::exchange(std::string_view method,
                                                  std::string_view target, std::string body,
                                                  milliseconds limit) const {
  http::call request;
  request.method = method;
  request.target = target;
  request.timeout = limit;
  if (!body.empty()) {
    request.headers.emplace_back("content-type", "application/json");
    request.body = std::move(body);
  }
  if (!bearer_.empty())
    request.headers.emplace_back("authorization", "Bearer " + bearer_);
  auto answer = http::fetch(url_, std::move(request));
  if (!answer)
    return answer.error();
  switch (answer->how_far) {
    case http::reach::not_sent:
      return make_error(errc::unavailable, url_ + " can't be reached: " + answer->failure);
    case http::reach::no_answer:
      return make_error(errc::unknown_outcome, url_ + " did not answer: " + answer->failure);
    case http::reach::answered: break;
  }
  if (answer->status < 200 || answer->status > 299)
    return refusal(*answer);
  return answer;
}

expected<std::string> json_client::text(std::string_view target, milliseconds limit) const {
  auto answer = exchange("GET", target, {}, limit);
  return answer ? expected<std::string>{std::move(answer->body)} : answer.error();
}

namespace {

/// Of `<target>; rel="next"`, the only form that we send (RFC 8288).
std::string next_in(const http::header_list& headers) {
  constexpr std::string_view next = ">; rel=\"next\"";
  for (const auto& [name, value] : headers)
    if (name == "link" && value.starts_with('<') && value.ends_with(next))
      return value.substr(1, value.size() - 1 - next.size());
  return {};
}

} // namespace

expected<text_page> json_client::page(std::string_view target, milliseconds limit) const {
  auto answer = exchange("GET", target, {}, limit);
  if (!answer)
    return answer.error();
  return text_page{std::move(answer->body), next_in(answer->headers)};
}

namespace {

expected<json::value> parsed(const expected<http::call_result>& answer,
                             const std::string& url) {
  if (!answer)
    return answer.error();
  boost::system::error_code bad;
  auto value = json::parse(answer->body, bad);
  if (bad)
    return make_error(errc::unavailable, url + " answered what is not JSON");
  return value;
}

} // namespace

expected<json::value> json_client::get(std::string_view target, milliseconds limit) const {
  return parsed(exchange("GET", target, {}, limit), url_);
}

expected<json::value> json_client::post(std::string_view target, const json::value& body,
                                        milliseconds limit) const {
  return parsed(exchange("POST", target, json::serialize(body), limit), url_);
}

namespace {

/// Takes the `data` of a list apart from it.
expected<json::array> data_of(json::value& list, const std::string& what) {
  auto* object = list.if_object();
  auto* data = object ? object->if_contains("data") : nullptr;
  if (!data || !data->is_array())
    return make_error(errc::unavailable, what + " did not answer with a list");
  return std::move(data->as_array());
}

bool has_more(const json::value& list) {
  const auto* more = list.as_object().if_contains("has_more");
  return more && more->is_bool() && more->as_bool();
}

} // namespace

expected<json::array> json_client::rows(std::string_view target) const {
  auto list = get(target);
  return list ? data_of(*list, url_ + std::string{target}) : list.error();
}

expected<json::array> json_client::all_pages(std::string_view target,
                                             std::size_t rows_max) const {
  const std::string first = std::string{target}
                            + (target.find('?') == std::string_view::npos ? "?" : "&")
                            + "limit=" + std::to_string(limits::list_limit_max);
  json::array rows;
  std::string next = first;
  while (rows.size() < rows_max) {
    auto page = get(next);
    if (!page)
      return page.error();
    auto data = data_of(*page, url_ + first);
    if (!data)
      return data.error();
    for (auto& row : *data)
      rows.push_back(std::move(row));
    if (!has_more(*page) || data->empty())
      break;
    const auto last =
      rows.back().is_object() ? string_at(rows.back().as_object(), "id") : std::string{};
    if (last.empty())
      return make_error(errc::unavailable, url_ + first + ": rows without an id");
    next = first + "&starting_after=" + http::encode_segment(last);
  }
  return rows;
}

} // namespace holdfast::client
