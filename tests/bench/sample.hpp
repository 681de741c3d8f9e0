// The payment that all steps are about: what the load generator of `holdfast bench` sends too.
#pragma once

#include "actors/payment/core.hpp"

#include <string_view>

namespace holdfast::bench {

/// 2026-11-23T01:27:00Z.
inline constexpr timestamp sample_now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}
                                      + std::chrono::hours{1} + std::chrono::minutes{27}};
inline constexpr shard_number sample_shard{3};

inline constexpr std::string_view sample_body =
  R"({"amount":1000,"currency":"EUR","capture":"manual","payment_method":{"card":)"
  R"({"number":"4242424242424242","exp_month":12,"exp_year":2034,"cvc":"123"}}})";

[[nodiscard]] merchant_id sample_merchant();
/// A payment's creation, as the front and the shard's owner make it of the body.
[[nodiscard]] payments::create sample_creation(std::uint64_t number);
/// The gateway's yes to its first attempt.
[[nodiscard]] payments::gateway_answered sample_approval();

/// Decides, and applies what comes of it. The events, with what they were applied to.
struct step_taken {
  std::vector<payment_event> events;
  std::vector<posting> postings;
};
[[nodiscard]] step_taken take_step(payment& subject, const payments::command& what);

/// The payment once it is approved.
[[nodiscard]] payment approved_sample();

} // namespace holdfast::bench
