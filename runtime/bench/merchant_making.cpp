#include "runtime/bench/merchant_making.hpp"

#include "messages/limits.hpp"
#include "runtime/bench/load.hpp"
#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace holdfast::bench {

namespace json = boost::json;

namespace {

constexpr milliseconds patience{60'000};

class merchant_making final : public workload {
public:
  explicit merchant_making(merchant_order wanted)
    : stripes_(wanted.stripes),
      keys_(wanted.count) {}

  http::call request_of(const journey& one) const override {
    http::call request;
    request.target = "/admin/v1/merchants";
    request.timeout = patience;
    request.headers = {{"content-type", "application/json"}};
    request.body =
      json::serialize(json::object{{"name", "Bench " + std::to_string(one.index + 1)},
                                   {"currency", "EUR"},
                                   {"stripes", stripes_}});
    return request;
  }

  heard take(journey& one, const http::call_result& answer) const override {
    if (answer.how_far != http::reach::answered || answer.status >= 500)
      return heard::unsettled;
    boost::system::error_code bad;
    const auto made = json::parse(answer.body, bad);
    if (answer.status / 100 != 2 || bad || !made.is_object())
      return heard::wrong;
    keys_[one.index] = client::string_at(made.as_object(), "api_key");
    return heard::done;
  }

  std::vector<std::string> take_keys() { return std::move(keys_); }

private:
  const std::uint16_t stripes_;
  mutable std::vector<std::string> keys_; ///< each journey's; what a workload has learnt
};

} // namespace

expected<std::vector<std::string>> make_merchants(
  const std::string& admin_url, merchant_order wanted,
  const std::function<expected<void>()>& check) {
  merchant_making what{wanted};
  load_options load;
  load.http_url = admin_url;
  load.connections = std::min(wanted.count, limits::bench_merchants_at_once);
  load.journeys_max = wanted.count;
  load.check = check;
  auto made = run_load(what, load);
  if (!made)
    return made.error();
  if (auto settled = settle(what, load, *made); !settled)
    return settled.error();
  auto keys = what.take_keys();
  if (made->wrong > 0 || std::ranges::any_of(keys, &std::string::empty))
    return make_error(
      errc::unavailable,
      "creating merchants: "
        + (made->errors.empty() ? "an answer without a key" : made->errors.begin()->first));
  return keys;
}

} // namespace holdfast::bench
