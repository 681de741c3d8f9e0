#include "runtime/sandbox/faults.hpp"

#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/sandbox/request_body.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <numeric>

namespace holdfast::sandbox {

namespace json = boost::json;

namespace {

/// In the order of `delivery`.
constexpr std::array<std::string_view, delivery_count> rate_names{"normal",
                                                                  "no_answer_charged",
                                                                  "no_answer_uncharged",
                                                                  "http_500_charged",
                                                                  "http_500_uncharged",
                                                                  "slow",
                                                                  "reset",
                                                                  "reset_uncharged",
                                                                  "not_json"};

expected<void> read_rates(const json::object& from, fault_settings& settings) {
  for (const auto& [name, value] : from) {
    const std::string_view wanted{name};
    std::size_t i = 1;
    while (i < rate_names.size() && rate_names[i] != wanted)
      ++i;
    boost::system::error_code not_a_number;
    const auto rate = value.to_number<double>(not_a_number);
    if (i == rate_names.size() || not_a_number || !(rate >= 0 && rate <= 1))
      return make_error(errc::invalid_argument,
                        "rates." + std::string{wanted} + " is unknown or not from 0 to 1");
    settings.rates[i] = rate;
  }
  if (std::accumulate(settings.rates.begin(), settings.rates.end(), 0.0) > 1)
    return make_error(errc::invalid_argument, "the rates exceed 1 together");
  return {};
}

struct settlement_name {
  std::string_view name;
  bool settlement_faults::*flag;
};

constexpr std::array settlement_names{
  settlement_name{"refuse_file", &settlement_faults::refuse_file},
  settlement_name{"half_accept", &settlement_faults::half_accept},
  settlement_name{"answer_twice", &settlement_faults::answer_twice},
  settlement_name{"never_answer", &settlement_faults::never_answer},
  settlement_name{"unknown_line", &settlement_faults::unknown_line},
  settlement_name{"wrong_currency", &settlement_faults::wrong_currency},
  settlement_name{"wrong_merchant", &settlement_faults::wrong_merchant},
  settlement_name{"bad_totals", &settlement_faults::bad_totals},
  settlement_name{"malformed_line", &settlement_faults::malformed_line},
  settlement_name{"cut_off", &settlement_faults::cut_off},
};

expected<void> read_settlement(const json::value& from, settlement_faults& faults) {
  const auto* names = from.if_array();
  if (!names)
    return make_error(errc::invalid_argument, "settlement is not a list of names");
  for (const auto& each : *names) {
    const auto* text = each.if_string();
    const auto known =
      std::ranges::find(settlement_names, text ? std::string_view{*text} : std::string_view{},
                        &settlement_name::name);
    if (known == settlement_names.end())
      return make_error(errc::invalid_argument, "settlement names an unknown fault");
    faults.*known->flag = true;
  }
  return {};
}

} // namespace

expected<void> fault_plan::set(std::string_view text) {
  auto body = request_body::parse(text);
  if (!body)
    return body.error();
  fault_settings settings;
  const auto name = body->text_or("gateway", "*", limits::sandbox_name_bytes_max);
  settings.seed = static_cast<std::uint64_t>(body->number_or("seed", 0, 0, INT64_MAX));
  settings.latency =
    milliseconds{body->number_or("latency_ms", 0, 0, limits::sandbox_latency_ms_max)};
  settings.report_delay =
    milliseconds{body->number_or("report_delay_ms", 0, 0, limits::sandbox_latency_ms_max)};
  settings.is_out = body->flag("outage");
  const auto* rates = body->object_if_any("rates");
  if (!body->wrong_member().empty())
    return make_error(errc::invalid_argument, body->wrong_member() + " is missing or wrong");
  if (rates) {
    auto read = read_rates(*rates, settings);
    if (!read)
      return read;
  }
  if (const auto* names = body->value_if_any("settlement")) {
    auto read = read_settlement(*names, settings.settlement);
    if (!read)
      return read;
  }
  if (by_name_.size() >= limits::sandbox_gateways_max && !by_name_.contains(name))
    return make_error(errc::invalid_argument, "faults are set for too many names");
  by_name_.insert_or_assign(std::string{name}, entry{settings, std::mt19937_64{settings.seed}});
  return {};
}

std::string fault_plan::to_json() const {
  json_writer out;
  out.begin_object().key("faults").begin_array();
  for (const auto& [name, one] : by_name_) {
    const auto& settings = one.settings;
    out.begin_object().member("gateway", name);
    out.member("seed", static_cast<std::int64_t>(settings.seed));
    out.key("rates").begin_object();
    for (std::size_t i = 1; i < rate_names.size(); ++i) {
      if (settings.rates[i] > 0)
        out.key(rate_names[i]).raw(json::serialize(json::value(settings.rates[i])));
    }
    out.end_object();
    out.member("latency_ms", settings.latency.count());
    out.member("report_delay_ms", settings.report_delay.count());
    out.member("outage", settings.is_out).key("settlement").begin_array();
    for (const auto& fault : settlement_names)
      if (settings.settlement.*fault.flag)
        out.value(fault.name);
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return out.take();
}

const fault_plan::entry* fault_plan::find(std::string_view name) const noexcept {
  auto found = by_name_.find(name);
  if (found == by_name_.end())
    found = by_name_.find("*");
  return found == by_name_.end() ? nullptr : &found->second;
}

const fault_settings& fault_plan::settings(std::string_view name) const noexcept {
  static const fault_settings none;
  const auto* found = find(name);
  return found ? found->settings : none;
}

delivery fault_plan::draw(std::string_view name) {
  auto* found = const_cast<entry*>(find(name));
  if (!found)
    return delivery::normal;
  double drawn = std::uniform_real_distribution<double>{0, 1}(found->generator);
  for (std::size_t i = 1; i < delivery_count; ++i) {
    drawn -= found->settings.rates[i];
    if (drawn < 0)
      return static_cast<delivery>(i);
  }
  return delivery::normal;
}

} // namespace holdfast::sandbox
