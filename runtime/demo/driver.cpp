#include "runtime/demo/driver.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/demo/requests.hpp"
#include "runtime/http/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>

namespace holdfast::demo {

namespace asio = boost::asio;
namespace json = boost::json;
using client::integer_at;
using client::string_at;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds look_for_stop{100};
constexpr milliseconds ask_again_first{25};
constexpr milliseconds ask_again_max{1'000};
constexpr milliseconds unknown_again{500};
/// Every so many-th payment is asked for once more after it was answered.
constexpr std::size_t replay_every = 25;

double seconds_since(steady::time_point then) {
  return std::chrono::duration<double>(steady::now() - then).count();
}

/// Clients of all sorts: those whose outcome stays away would else hold connections that the
/// others could use.
std::string preference_of(const planned_payment& wanted, std::size_t index) {
  if (wanted.which != story::unknown)
    return "wait=10";
  return index % 2 == 0 ? "wait=1" : "respond-async";
}

/// One payment on its way through its story.
struct journey {
  std::size_t index = 0;
  std::size_t step = 0; ///< 0: the payment itself; then its follow-ups
  std::string id;
  std::uint32_t tries = 0;
  bool arrived = false; ///< has had its first answer
  bool replaying = false;
  std::string answer; ///< the body to compare a replay with
  steady::time_point sent_at;
  steady::time_point step_began;
};

class driver {
public:
  driver(const std::vector<planned_payment>& plan, const drive_options& options,
         std::stop_token stop)
    : plan_(plan),
      options_(options),
      stop_(std::move(stop)),
      journeys_(plan.size()) {
    result_.ids.resize(plan.size());
    for (std::size_t i = 0; i < plan.size(); ++i) {
      journeys_[i].index = i;
      ready_.push_back(&journeys_[i]);
    }
  }

  expected<drive_result> run() {
    for (const auto& url : options_.http_urls) {
      http::client_options client;
      client.base_url = url;
      client.connections_max = options_.connections;
      client.connect_timeout = milliseconds{5'000};
      auto made = http::client::create(io_, std::move(client));
      if (!made)
        return made.error();
      clients_.push_back(std::move(*made));
    }
    watch_for_stop();
    fill();
    io_.run();
    clients_.clear();
    if (!failure_.empty())
      return make_error(errc::unavailable, failure_);
    result_.all_answers_s = seconds_since(began_);
    note_latencies();
    return std::move(result_);
  }

private:
  void watch_for_stop() {
    watch_.expires_after(look_for_stop);
    watch_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled)
        return;
      if (stop_.stop_requested())
        return give_up("interrupted");
      watch_for_stop();
    });
  }

  void give_up(std::string why) {
    failure_ = std::move(why);
    io_.stop();
  }

  void fill() {
    while (in_flight_ < options_.connections && !ready_.empty()) {
      auto& next = *ready_.front();
      ready_.pop_front();
      send(next);
    }
    if (ended_ == journeys_.size())
      watch_.cancel();
  }

  [[nodiscard]] std::string key_of(const journey& one) const {
    return options_.run + '-' + std::to_string(one.index) + '-' + std::to_string(one.step);
  }

  void send(journey& one) {
    const auto& planned = plan_[one.index];
    http::call request;
    if (one.step == 0) {
      request.target = "/v1/payments";
      request.body = creation_body(planned, options_.run + '-' + std::to_string(one.index));
    } else {
      const auto& wanted = planned.then[one.step - 1];
      request.target = "/v1/payments/" + one.id + std::string{path_of(wanted.what)};
      request.body = follow_up_body(wanted);
    }
    request.headers = {{"authorization", "Bearer " + options_.api_keys[planned.merchant]},
                       {"idempotency-key", key_of(one)},
                       {"content-type", "application/json"},
                       {"prefer", preference_of(planned, one.index)}};
    ++in_flight_;
    auto& node = *clients_[result_.requests % clients_.size()];
    ++result_.requests;
    one.sent_at = steady::now();
    if (one.tries++ == 0)
      one.step_began = one.sent_at;
    node.send(std::move(request), [this, &one](http::call_result answer) {
      --in_flight_;
      on_answer(one, std::move(answer));
      fill();
    });
  }

  void on_answer(journey& one, http::call_result answer) {
    if (answer.how_far != http::reach::answered)
      return later(one, backoff(one), answer.failure);
    const auto status = answer.status;
    const bool in_progress =
      status == 409 && answer.body.find("request_in_progress") != std::string::npos;
    if (status == 429 || status >= 500 || in_progress)
      return later(one, backoff(one), "HTTP " + std::to_string(status));
    if (status == 202) {
      if (one.step == 0 && !one.arrived)
        ++result_.unknown;
      arrive(one);
      return later(one, unknown_again, "202");
    }
    if (one.replaying)
      return compare_replay(one, answer);
    if (one.tries == 1)
      latencies_ms_.push_back(
        std::chrono::duration<double, std::milli>(steady::now() - one.sent_at).count());
    keep(one, answer);
    arrive(one);
    if (one.step == 0 && one.index % replay_every == 0) {
      one.replaying = true;
      one.answer = std::move(answer.body);
      ready_.push_front(&one);
      return;
    }
    advance(one);
  }

  static milliseconds backoff(const journey& one) {
    return std::min(ask_again_max, ask_again_first * (1 << std::min(one.tries, 6U)));
  }

  /// Asks again with the same key after a while: that is what keys are for.
  void later(journey& one, milliseconds delay, const std::string& why) {
    if (steady::now() - one.step_began > milliseconds{limits::demo_answer_ms_max})
      return give_up("no definitive answer to " + key_of(one) + " (" + one.id + ") in "
                     + std::to_string(limits::demo_answer_ms_max / 1'000)
                     + " s; the last one: " + why);
    ++result_.asked_again;
    auto timer = std::make_shared<asio::steady_timer>(io_, delay);
    timer->async_wait([this, &one, timer](const boost::system::error_code& cancelled) {
      if (cancelled)
        return;
      ready_.push_back(&one);
      fill();
    });
  }

  void arrive(journey& one) {
    if (!one.arrived) {
      one.arrived = true;
      ++arrived_;
      if (plan_[one.index].which != story::unknown)
        result_.answers_s = seconds_since(began_);
    }
    report();
  }

  void report() {
    if (options_.progress)
      options_.progress(arrived_, arrived_ - ended_);
  }

  void compare_replay(journey& one, const http::call_result& answer) {
    one.replaying = false;
    ++result_.replays;
    const bool marked = std::ranges::any_of(answer.headers, [](const auto& header) {
      return header.first == "idempotent-replayed" && header.second == "true";
    });
    // A refusal of a bad field is made anew each time, and its request id with it.
    const bool stored = answer.status != 400;
    if (stored && (!marked || answer.body != one.answer))
      surprise(one, "the same key got another answer");
    advance(one);
  }

  void advance(journey& one) {
    const auto& then = plan_[one.index].then;
    if (one.step < then.size() && !one.id.empty()) {
      ++one.step;
      one.tries = 0;
      ready_.push_back(&one);
      return;
    }
    ++ended_;
    report();
  }

  void surprise(const journey& one, std::string_view what) {
    result_.surprises.push_back(std::string{to_string(plan_[one.index].which)} + ' '
                                + (one.id.empty() ? key_of(one) : one.id) + ": "
                                + std::string{what});
  }

  /// Files a definitive answer, and says so when it is not what the plan expects.
  void keep(journey& one, const http::call_result& answer) {
    const auto& planned = plan_[one.index];
    boost::system::error_code bad;
    const auto document = json::parse(answer.body, bad);
    const auto* object = bad ? nullptr : document.if_object();
    if (!object)
      return surprise(one, "HTTP " + std::to_string(answer.status) + " without a JSON object");
    // A problem carries the payment inside.
    const auto* inner = object->if_contains("payment");
    const auto& payment = inner && inner->is_object() ? inner->as_object() : *object;

    acknowledged told;
    told.key = key_of(one);
    if (one.step > 0)
      told.what = kind_of(planned.then[one.step - 1].what);
    const bool is_refund = string_at(*object, "object") == "refund";
    const bool is_payment = string_at(payment, "object") == "payment";
    if (is_refund || is_payment) {
      told.payment = is_refund ? one.id : string_at(payment, "id");
      told.status = string_at(payment, "status");
      told.currency = string_at(payment, "currency");
      told.amount = integer_at(payment, "amount");
      told.captured = integer_at(payment, "amount_captured");
      told.refunded = integer_at(payment, "amount_refunded");
      // A refused operation tells of the payment, as it was before.
      if (is_payment && told.what == acknowledged::kind::refund)
        told.what = acknowledged::kind::payment;
      if (one.step == 0)
        result_.ids[one.index] = one.id = told.payment;
      result_.answers.push_back(std::move(told));
    }
    expect(one, answer.status, *object);
  }

  void expect(journey& one, std::uint16_t status, const json::object& answer) {
    const auto& planned = plan_[one.index];
    const auto code = string_at(answer, "code");
    bool fine = status == 200 || status == 201;
    if (planned.which == story::declined)
      fine = status == 402 && string_at(answer, "decline_code") == planned.decline_code;
    else if (planned.which == story::refused)
      fine = status == 400 && code == "incorrect_number";
    else if (planned.which == story::unknown)
      fine = fine || status == 402;
    if (!fine)
      surprise(one, "HTTP " + std::to_string(status) + ' ' + code + ' '
                      + string_at(answer, "decline_code") + " at step "
                      + std::to_string(one.step));
    // Without an authorization there is nothing to capture, void or refund.
    if (one.step == 0 && status != 201)
      one.step = planned.then.size();
  }

  void note_latencies() {
    if (latencies_ms_.empty())
      return;
    std::ranges::sort(latencies_ms_);
    const auto at = [&](std::size_t per_cent) {
      return latencies_ms_[(latencies_ms_.size() - 1) * per_cent / 100];
    };
    result_.latency_p50_ms = at(50);
    result_.latency_p99_ms = at(99);
  }

  const std::vector<planned_payment>& plan_;
  const drive_options& options_;
  std::stop_token stop_;
  std::vector<journey> journeys_;
  std::deque<journey*> ready_;
  std::size_t in_flight_ = 0;
  std::size_t arrived_ = 0;
  std::size_t ended_ = 0;
  std::vector<double> latencies_ms_;
  drive_result result_;
  std::string failure_;
  steady::time_point began_ = steady::now();
  asio::io_context io_{1};
  asio::steady_timer watch_{io_};
  std::vector<std::unique_ptr<http::client>> clients_;
};

} // namespace

expected<drive_result> drive(const std::vector<planned_payment>& plan,
                             const drive_options& options, std::stop_token stop) {
  return driver{plan, options, std::move(stop)}.run();
}

} // namespace holdfast::demo
