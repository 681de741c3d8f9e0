#include "runtime/demo/requests.hpp"

#include <boost/json.hpp>

namespace holdfast::demo {

namespace json = boost::json;

std::string creation_body(const planned_payment& wanted, const std::string& reference) {
  return json::serialize(json::object{
    {"amount", wanted.amount},
    {"currency", merchants[wanted.merchant].currency},
    {"capture", wanted.automatic ? "automatic" : "manual"},
    {"payment_method",
     {{"card",
       {{"number", wanted.card}, {"exp_month", 12}, {"exp_year", 2034}, {"cvc", "123"}}}}},
    {"reference", reference},
  });
}

std::string follow_up_body(const follow_up& wanted) {
  json::object body;
  if (wanted.amount != 0)
    body["amount"] = wanted.amount;
  if (wanted.final)
    body["final"] = true;
  return json::serialize(body);
}

std::string_view path_of(follow_up::kind what) noexcept {
  switch (what) {
    case follow_up::kind::capture: return "/capture";
    case follow_up::kind::release: return "/void";
    case follow_up::kind::refund: return "/refunds";
  }
  return "";
}

acknowledged::kind kind_of(follow_up::kind what) noexcept {
  switch (what) {
    case follow_up::kind::capture: return acknowledged::kind::capture;
    case follow_up::kind::release: return acknowledged::kind::release;
    case follow_up::kind::refund: return acknowledged::kind::refund;
  }
  return acknowledged::kind::payment;
}

} // namespace holdfast::demo
