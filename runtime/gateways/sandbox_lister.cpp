#include "runtime/gateways/sandbox_lister.hpp"

#include "messages/limits.hpp"
#include "messages/printable.hpp"
#include "runtime/http/client.hpp"

#include <boost/json.hpp>

#include <optional>

namespace holdfast::gateways {

namespace {

namespace json = boost::json;

std::string_view text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                : std::string_view{};
}

std::optional<std::int64_t> number_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && value->is_int64() ? std::optional{value->get_int64()}
                                               : std::nullopt;
}

std::optional<listed_status> parse_status(std::string_view text) {
  if (text == "approved")
    return listed_status::approved;
  if (text == "declined")
    return listed_status::declined;
  if (text == "reversed")
    return listed_status::reversed;
  return std::nullopt;
}

/// None when anything of it is not as documented.
std::optional<listed_authorization> parse_row(const json::value& from) {
  if (!from.is_object())
    return std::nullopt;
  const auto& row = from.get_object();
  const auto status = parse_status(text_of(row, "status"));
  const auto amount = number_of(row, "amount");
  const auto seq = number_of(row, "seq");
  const auto unit = currency::parse(text_of(row, "currency"));
  const auto at = parse_rfc3339(text_of(row, "at"));
  if (!status || !amount || !seq || !unit || !at)
    return std::nullopt;
  listed_authorization made;
  made.reference = text_of(row, "reference");
  made.gateway_reference = text_of(row, "gateway_reference");
  made.status = *status;
  made.amount = minor_units{*amount};
  made.captured = minor_units{number_of(row, "captured").value_or(0)};
  made.unit = *unit;
  made.seq = *seq;
  made.at = *at;
  made.raw = printable(json::serialize(row), limits::exception_raw_bytes_max);
  return made;
}

/// One row that can't be read makes the page worthless: what is missing would be accused.
std::optional<authorization_page> parse_page(std::string_view body) {
  boost::system::error_code failure;
  const auto parsed = json::parse(body, failure);
  if (failure || !parsed.is_object())
    return std::nullopt;
  const auto& page = parsed.get_object();
  const auto* rows = page.if_contains("authorizations");
  const auto* more = page.if_contains("has_more");
  if (rows == nullptr || !rows->is_array() || more == nullptr || !more->is_bool())
    return std::nullopt;
  authorization_page made;
  made.has_more = more->get_bool();
  for (const auto& each : rows->get_array()) {
    auto row = parse_row(each);
    if (!row)
      return std::nullopt;
    made.rows.push_back(std::move(*row));
  }
  return made;
}

expected<authorization_page> judge(const http::call_result& result) {
  if (result.how_far != http::reach::answered)
    return make_error(errc::unavailable, "no answer");
  if (result.status != 200)
    return make_error(errc::unavailable, "HTTP " + std::to_string(result.status));
  auto page = parse_page(result.body);
  if (!page)
    return make_error(errc::unavailable, "the list is not as documented");
  return std::move(*page);
}

class sandbox_lister final : public authorization_lister {
public:
  explicit sandbox_lister(std::unique_ptr<http::client> wire) : wire_(std::move(wire)) {}

  void list(timestamp since, std::int64_t after, std::size_t limit, milliseconds timeout,
            std::function<void(expected<authorization_page>)> done) override {
    http::call call;
    call.method = "GET";
    call.target = "/authorizations?since=" + to_rfc3339(since)
                  + "&after=" + std::to_string(after) + "&limit=" + std::to_string(limit);
    call.timeout = timeout;
    wire_->send(std::move(call), [done = std::move(done)](const http::call_result& result) {
      done(judge(result));
    });
  }

private:
  std::unique_ptr<http::client> wire_;
};

} // namespace

expected<std::shared_ptr<authorization_lister>> make_sandbox_lister(boost::asio::io_context& io,
                                                                    std::string url) {
  http::client_options wire;
  wire.base_url = std::move(url);
  wire.connections_max = 1;
  wire.waiting_max = 1;
  wire.body_bytes_max = limits::orphan_list_bytes_max;
  auto made = http::client::create(io, std::move(wire));
  if (!made)
    return made.error();
  return std::shared_ptr<authorization_lister>{
    std::make_shared<sandbox_lister>(std::move(*made))};
}

} // namespace holdfast::gateways
