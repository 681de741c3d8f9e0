#include "runtime/bench/workload.hpp"

#include "actors/payment/core.hpp"
#include "messages/assert.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::bench {

namespace {

/// Amounts that ask the sandbox for nothing odd: their last two digits are 0.
constexpr std::uint64_t amounts = 50;
constexpr std::uint64_t amount_step = 100;
constexpr std::uint64_t amount_min = 1'000;
constexpr milliseconds patience{30'000};
constexpr std::string_view id_begins = R"({"id":")";
constexpr std::size_t id_length = 36;

/// Neighbouring numbers give unrelated ones.
std::uint64_t scattered(std::uint64_t number) {
  return payments::entropy{number}.next();
}

http::call make_call(const naming& who, std::uint64_t journey, std::string method,
                     std::string target) {
  http::call request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.timeout = patience;
  request.headers = {{"authorization", who.of->key_of(journey)}};
  return request;
}

http::call make_post(const naming& who, const journey& one, std::string target,
                     std::string body, std::string preference) {
  auto request = make_call(who, one.index, "POST", std::move(target));
  request.headers.emplace_back("idempotency-key", who.run + '-' + std::to_string(one.index)
                                                    + '-' + std::to_string(one.step));
  request.headers.emplace_back("content-type", "application/json");
  request.headers.emplace_back("prefer", std::move(preference));
  request.body = std::move(body);
  return request;
}

http::call creation_of(const naming& who, const journey& one, ending how) {
  const auto amount = amount_min + amount_step * (one.index % amounts);
  std::string body =
    R"({"amount":)" + std::to_string(amount) + R"(,"currency":"EUR","capture":")";
  body += how == ending::captured_at_once ? "automatic" : "manual";
  body += R"(","payment_method":{"card":{"number":"4242424242424242","exp_month":12,)"
          R"("exp_year":2034,"cvc":"123"}}})";
  return make_post(who, one, "/v1/payments", std::move(body),
                   how == ending::pending ? "respond-async" : "wait=25");
}

bool is_unsettled(const http::call_result& answer) {
  return answer.how_far != http::reach::answered || answer.status == 202 || answer.status == 409
         || answer.status == 429 || answer.status >= 500;
}

class payment_making final : public workload {
public:
  payment_making(naming who, ending how) : who_(std::move(who)), how_(how) {}

  http::call request_of(const journey& one) const override {
    if (one.step == 0)
      return creation_of(who_, one, how_);
    return make_post(who_, one, "/v1/payments/" + one.payment.text() + "/capture", "{}",
                     "wait=25");
  }

  heard take(journey& one, const http::call_result& answer) const override {
    const bool accepted = how_ == ending::pending && answer.status == 202;
    if (!accepted && is_unsettled(answer))
      return heard::unsettled;
    const auto id = payment_in(answer.body);
    const auto wanted = one.step == 0 ? 201 : 200;
    if ((!accepted && answer.status != wanted) || id.is_nil()
        || (one.step > 0 && id != one.payment))
      return heard::wrong;
    one.payment = id;
    if (how_ != ending::captured_by_second || one.step > 0)
      return heard::done;
    ++one.step;
    return heard::goes_on;
  }

private:
  const naming who_;
  const ending how_;
};

/// What asks for payments that are known, again and again.
class looking_up : public workload {
public:
  looking_up(naming who, std::vector<known_payment> known)
    : who_(std::move(who)),
      known_(std::move(known)) {
    HF_ASSERT(!known_.empty());
  }

protected:
  [[nodiscard]] const known_payment& subject_of(const journey& one) const {
    return known_[scattered(one.index) % known_.size()];
  }

  const naming who_;
  const std::vector<known_payment> known_;
};

class replaying final : public looking_up {
public:
  using looking_up::looking_up;

  http::call request_of(const journey& one) const override {
    return creation_of(who_, {subject_of(one).journey, 0, {}}, ending::authorized);
  }

  heard take(journey& one, const http::call_result& answer) const override {
    if (is_unsettled(answer))
      return heard::unsettled;
    const bool marked = std::ranges::any_of(answer.headers, [](const auto& header) {
      return header.first == "idempotent-replayed" && header.second == "true";
    });
    const auto& subject = subject_of(one);
    if (answer.status != 201 || !marked || payment_in(answer.body) != subject.id)
      return heard::wrong;
    return heard::done;
  }
};

class reading final : public looking_up {
public:
  using looking_up::looking_up;

  http::call request_of(const journey& one) const override {
    const auto& subject = subject_of(one);
    return make_call(who_, subject.journey, "GET", "/v1/payments/" + subject.id.text());
  }

  heard take(journey& one, const http::call_result& answer) const override {
    if (is_unsettled(answer))
      return heard::unsettled;
    const bool right = answer.status == 200 && payment_in(answer.body) == subject_of(one).id;
    return right ? heard::done : heard::wrong;
  }
};

} // namespace

merchants::merchants(std::vector<std::string> api_keys, double skew) {
  HF_ASSERT(!api_keys.empty());
  double sum = 0;
  for (auto& key : api_keys) {
    authorizations_.push_back("Bearer " + key);
    sum += 1 / std::pow(static_cast<double>(authorizations_.size()), skew);
    share_up_to_.push_back(sum);
  }
  for (auto& share : share_up_to_)
    share /= sum;
}

const std::string& merchants::key_of(std::uint64_t journey) const {
  constexpr double all = 1ULL << 53;
  const auto drawn = static_cast<double>(scattered(journey) >> 11) / all;
  const auto found = std::ranges::upper_bound(share_up_to_, drawn);
  const auto index = static_cast<std::size_t>(found - share_up_to_.begin());
  return authorizations_[std::min(index, authorizations_.size() - 1)];
}

std::unique_ptr<workload> make_payments(naming who, ending how) {
  return std::make_unique<payment_making>(std::move(who), how);
}

std::unique_ptr<workload> make_replays(naming who, std::vector<known_payment> known) {
  return std::make_unique<replaying>(std::move(who), std::move(known));
}

std::unique_ptr<workload> make_reads(naming who, std::vector<known_payment> known) {
  return std::make_unique<reading>(std::move(who), std::move(known));
}

payment_id payment_in(std::string_view body) {
  if (!body.starts_with(id_begins))
    return {};
  const auto id = payment_id::parse(body.substr(id_begins.size(), id_length));
  return id ? *id : payment_id{};
}

} // namespace holdfast::bench
