#include "runtime/bench/load.hpp"

#include "messages/limits.hpp"
#include "runtime/bench/launcher.hpp"
#include "runtime/http/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>

namespace holdfast::bench {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds look_for_stop{100};
constexpr milliseconds connect_limit{10'000};
constexpr milliseconds launch_step{1};

bool is_refusal(const http::call_result& answer) {
  return answer.status == 429 || answer.status == 503;
}

bool says_when_to_try_again(const http::call_result& answer) {
  return std::ranges::any_of(answer.headers,
                             [](const auto& each) { return each.first == "retry-after"; });
}

std::string name_of(heard verdict, const http::call_result& answer) {
  if (answer.how_far != http::reach::answered)
    return answer.failure;
  return (verdict == heard::wrong ? "wrong answer: HTTP " : "HTTP ")
         + std::to_string(answer.status)
         + (is_refusal(answer) && !says_when_to_try_again(answer) ? " without Retry-After"
                                                                  : "");
}

/// What both loops share: the client, and a look now and then whether to go on.
class carrier {
public:
  carrier(const workload& what, const load_options& options) : what_(what), options_(options) {}
  carrier(const carrier&) = delete;
  carrier& operator=(const carrier&) = delete;

protected:
  ~carrier() = default;

  expected<void> open() {
    http::client_options client;
    client.base_url = options_.http_url;
    client.connections_max = options_.connections;
    client.waiting_max = options_.connections;
    client.connect_timeout = connect_limit;
    auto made = http::client::create(io_, std::move(client));
    if (!made)
      return made.error();
    client_ = std::move(*made);
    watch();
    return {};
  }

  expected<void> run() {
    io_.run();
    client_.reset();
    if (failure_)
      return *failure_;
    return {};
  }

  void watch() {
    watch_.expires_after(look_for_stop);
    watch_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled || ended_)
        return;
      if (options_.check) {
        if (auto well = options_.check(); !well)
          return fail(well.error());
      }
      tick();
      if (!ended_)
        watch();
    });
  }

  void fail(error why) {
    failure_ = std::move(why);
    io_.stop();
  }

  virtual void tick() {}

  /// Ends `run` once nothing else is under way.
  void stop_watching() {
    ended_ = true;
    watch_.cancel();
  }

  const workload& what_;
  const load_options& options_;
  asio::io_context io_{1};
  asio::steady_timer watch_{io_};
  std::unique_ptr<http::client> client_;
  std::optional<error> failure_;
  bool ended_ = false;
};

class load final : carrier {
public:
  load(const workload& what, const load_options& options)
    : carrier(what, options),
      launches_({options.connections, options.rate, length_of(options),
                 milliseconds{limits::bench_grace_ms}, launch_step}) {}

  expected<load_result> carry() {
    if (auto opened = open(); !opened)
      return opened.error();
    began_ = steady::now();
    begin_what_may();
    if (auto ran = run(); !ran)
      return ran.error();
    const auto counted = is_counted_out() ? now() : nanoseconds{options_.length};
    result_.seconds = std::chrono::duration<double>(counted).count();
    return std::move(result_);
  }

private:
  struct trip {
    journey what;
    nanoseconds due{};
  };
  using trip_ptr = std::shared_ptr<trip>;

  static nanoseconds length_of(const load_options& options) {
    return options.journeys_max > 0 ? milliseconds{limits::bench_load_ms_max}
                                    : options.warm_up + options.length;
  }

  [[nodiscard]] nanoseconds now() const { return steady::now() - began_; }
  [[nodiscard]] bool is_counted_out() const { return options_.journeys_max > 0; }

  [[nodiscard]] bool is_over() const {
    return (is_counted_out() && result_.begun >= options_.journeys_max)
           || launches_.is_over(now());
  }

  /// Whether the moment lies in the part that counts.
  [[nodiscard]] bool counts(nanoseconds at) const {
    return is_counted_out()
           || (at >= options_.warm_up && at < options_.warm_up + options_.length);
  }

  void begin_what_may() {
    while (!is_over()) {
      const auto next = launches_.take(now());
      if (!next)
        break;
      ++result_.begun;
      send(
        std::make_shared<trip>(trip{{options_.first_journey + next->index, 0, {}}, next->due}));
    }
    if (is_over())
      return launches_.in_flight() == 0 ? end() : void();
    if (const auto at = launches_.wake_at())
      wake_at(*at);
  }

  void wake_at(nanoseconds at) {
    if (at == woken_at_)
      return;
    woken_at_ = at;
    alarm_.expires_at(began_ + std::chrono::duration_cast<steady::duration>(at));
    alarm_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled)
        begin_what_may();
    });
  }

  /// The end may come while nothing is under way and nothing wakes us.
  void tick() override { begin_what_may(); }

  void end() {
    result_.dropped = launches_.late(now());
    alarm_.cancel();
    stop_watching();
  }

  void send(trip_ptr one) {
    auto request = what_.request_of(one->what);
    client_->send(std::move(request), [this, one = std::move(one)](http::call_result answer) {
      take(one, answer);
    });
  }

  void take(const trip_ptr& one, const http::call_result& answer) {
    const auto verdict = what_.take(one->what, answer);
    if (verdict == heard::goes_on)
      return send(one);
    launches_.give_back();
    if (counts(one->due)) {
      ++result_.asked;
      if (is_refusal(answer) && says_when_to_try_again(answer))
        ++result_.refused;
    }
    if (verdict == heard::done)
      finish(*one);
    else
      note_failure(*one, verdict, answer);
    begin_what_may();
  }

  void finish(const trip& one) {
    const auto at = now();
    ++result_.finished_count;
    if (counts(at))
      ++result_.done;
    if (counts(one.due))
      result_.latency.record(std::chrono::duration_cast<histogram::duration>(at - one.due));
    if (!one.what.payment.is_nil())
      result_.finished.push_back({one.what.index, one.what.payment});
  }

  void note_failure(const trip& one, heard verdict, const http::call_result& answer) {
    ++result_.errors[name_of(verdict, answer)];
    if (verdict == heard::unsettled)
      result_.unsettled.push_back(one.what);
    else
      ++result_.wrong;
  }

  launcher launches_;
  steady::time_point began_;
  asio::steady_timer alarm_{io_};
  nanoseconds woken_at_{-1}; ///< what the alarm is set to
  load_result result_;
};

/// Round after round, with a pause between two, until nothing is left.
class settling final : carrier {
public:
  settling(const workload& what, const load_options& options, load_result& result)
    : carrier(what, options),
      result_(result) {}

  expected<void> carry() {
    if (result_.unsettled.empty())
      return {};
    if (auto opened = open(); !opened)
      return opened.error();
    begin_round();
    return run();
  }

private:
  void begin_round() {
    waiting_.assign(result_.unsettled.begin(), result_.unsettled.end());
    result_.unsettled.clear();
    fill();
  }

  void fill() {
    while (in_flight_ < options_.connections && !waiting_.empty()) {
      const auto one = waiting_.front();
      waiting_.pop_front();
      send(one);
    }
    if (in_flight_ == 0)
      end_round();
  }

  void end_round() {
    if (result_.unsettled.empty())
      return stop_watching();
    if (steady::now() > deadline_)
      return fail(make_error(
        errc::unavailable, std::to_string(result_.unsettled.size())
                             + " requests have no definitive answer; the last one: " + last_));
    pause_.expires_after(milliseconds{limits::bench_ask_again_ms});
    pause_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled)
        begin_round();
    });
  }

  void send(const journey& one) {
    ++in_flight_;
    client_->send(what_.request_of(one), [this, one](const http::call_result& answer) {
      --in_flight_;
      take(one, answer);
      fill();
    });
  }

  void take(journey one, const http::call_result& answer) {
    const auto verdict = what_.take(one, answer);
    switch (verdict) {
      case heard::done:
        if (!one.payment.is_nil())
          result_.finished.push_back({one.index, one.payment});
        return;
      case heard::goes_on: return waiting_.push_back(one);
      case heard::unsettled:
        last_ = name_of(verdict, answer);
        return result_.unsettled.push_back(one);
      case heard::wrong:
        ++result_.wrong;
        ++result_.errors[name_of(verdict, answer)];
        return;
    }
  }

  load_result& result_;
  std::deque<journey> waiting_;
  std::size_t in_flight_ = 0;
  std::string last_;
  asio::steady_timer pause_{io_};
  const steady::time_point deadline_ =
    steady::now() + milliseconds{limits::bench_settle_ms_max};
};

} // namespace

std::uint64_t load_result::error_count() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [what, count] : errors)
    sum += count;
  return sum;
}

expected<load_result> run_load(const workload& what, const load_options& options) {
  return load{what, options}.carry();
}

expected<void> settle(const workload& what, const load_options& options, load_result& result) {
  return settling{what, options, result}.carry();
}

} // namespace holdfast::bench
