#include "tests/integration/crash_load.hpp"

#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/demo/requests.hpp"
#include "runtime/http/client.hpp"
#include "tests/support/http_probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>

namespace holdfast::test {

namespace asio = boost::asio;
namespace json = boost::json;
using client::string_at;
using demo::follow_up;
using demo::planned_payment;
using demo::story;

namespace {

constexpr milliseconds pause_before_repeat{20};
constexpr milliseconds call_limit{15'000};
constexpr std::size_t open_requests_shown = 5;
constexpr std::size_t letdowns_shown = 5;

/// Clients of all sorts: a 202 after a second, at once, and never before the outcome.
std::string_view preference_of(std::size_t index) {
  constexpr std::array<std::string_view, 5> preferences{"wait=10", "wait=1", "wait=10",
                                                        "respond-async", "wait=5"};
  return preferences[index % preferences.size()];
}

/// Whether the client has reason to complain: of all passing answers, these aren't about its
/// own payment. What was not sent found a closed door, and a client simply takes the next.
bool lets_down(const http::call_result& answer) {
  return answer.how_far == http::reach::no_answer
         || (answer.how_far == http::reach::answered && answer.status == 503);
}

/// How long a refusal asks to wait; nothing when it doesn't say.
std::optional<milliseconds> wait_asked_for(const http::call_result& answer) {
  const auto asked =
    std::ranges::find(answer.headers, "retry-after", &http::header_list::value_type::first);
  std::int64_t seconds = 0;
  if (asked == answer.headers.end()
      || std::from_chars(asked->second.data(), asked->second.data() + asked->second.size(),
                         seconds)
             .ec
           != std::errc{})
    return std::nullopt;
  return std::chrono::seconds{seconds};
}

bool was_replayed(const http::call_result& answer) {
  return std::ranges::any_of(answer.headers, [](const auto& header) {
    return header.first == "idempotent-replayed" && header.second == "true";
  });
}

/// Whether it says nothing yet: the same request is to be sent again.
bool is_passing(const http::call_result& answer) {
  if (answer.how_far != http::reach::answered || answer.status == 202 || answer.status == 429
      || answer.status == 503)
    return true;
  return answer.status == 409 && answer.body.find("request_in_progress") != std::string::npos;
}

} // namespace

class crash_load::work {
public:
  work(std::vector<planned_payment> plan, std::vector<std::string> api_keys, std::string run,
       load_pace pace)
    : plan_(std::move(plan)),
      api_keys_(std::move(api_keys)),
      run_(std::move(run)),
      pace_(pace),
      journeys_(plan_.size()) {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      journeys_[i].index = i;
      journeys_[i].door = i;
      not_begun_.push_back(&journeys_[i]);
    }
  }

  // -- from the test's thread -----------------------------------------------------------------

  ~work() {
    background_.run([this] {
      is_closed_ = true;
      pause_.cancel();
      entrances_.clear();
      left_.clear();
    });
  }

  void go_to(const std::vector<std::string>& http_urls) {
    std::vector<entrance> doors;
    for (const auto& url : http_urls) {
      http::client_options options;
      options.base_url = url;
      options.connections_max = pace_.requests_at_once;
      auto made = http::client::create(background_.io(), std::move(options));
      if (!made)
        throw std::runtime_error{url + ": " + made.error().detail};
      doors.push_back({url, std::move(*made)});
    }
    background_.run([&] {
      std::ranges::move(entrances_, std::back_inserter(left_));
      entrances_ = std::move(doors);
      fill();
    });
  }

  void wind_up() {
    background_.run([this] {
      const std::scoped_lock lock{mutex_};
      ended_ += not_begun_.size();
      for (auto* one : not_begun_)
        one->has_ended = true;
      not_begun_.clear();
      changed_.notify_all();
    });
  }

  void ask_again() {
    background_.run([this] {
      {
        const std::scoped_lock lock{mutex_};
        ended_ = 0;
      }
      is_repeating_ = true;
      for (auto& one : journeys_) {
        if (one.answers.empty()) {
          end(one);
          continue;
        }
        one.step = 0;
        one.has_ended = false;
        ready_.push_back(&one);
      }
      fill();
    });
  }

  [[nodiscard]] std::size_t answers_wanted() const noexcept {
    std::size_t count = plan_.size();
    for (const auto& planned : plan_)
      count += planned.then.size();
    return count;
  }

  bool await(std::size_t count, milliseconds limit) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit,
                             [&] { return given_ >= count || ended_ == journeys_.size(); });
  }

  bool await_end(milliseconds limit) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [&] { return ended_ == journeys_.size(); });
  }

  letdowns let_down() {
    letdowns so_far;
    background_.run([&] { so_far = let_down_; });
    return so_far;
  }

  std::string open_requests() {
    std::string text;
    background_.run([&] {
      std::size_t open = 0;
      for (const auto& one : journeys_) {
        if (one.has_ended)
          continue;
        if (++open > open_requests_shown)
          continue;
        text += key_of(one) + ' ' + one.id + ": " + one.latest + '\n' + timeline_of(one) + '\n';
      }
      text = std::to_string(open) + " open, such as\n" + text;
    });
    return text;
  }

  std::vector<demo::acknowledged> answers;
  std::vector<expected_payment> payments;
  std::vector<std::string> complaints;

private:
  struct entrance {
    std::string url;
    std::unique_ptr<http::client> client;
  };

  struct told {
    int status = 0;
    std::string body;
  };

  /// One payment on its way through its story.
  struct journey {
    std::size_t index = 0;
    std::size_t step = 0;     ///< 0: the payment itself; then its follow-ups
    std::size_t door = 0;     ///< that it takes next
    std::size_t failures = 0; ///< in a row
    bool has_ended = false;
    std::string id;
    std::chrono::steady_clock::time_point sent; ///< the latest request
    std::string latest;                         ///< what came of it
    std::vector<told> answers;
  };

  void fill() {
    while (!is_closed_ && !is_pausing_ && in_flight_ < pace_.requests_at_once) {
      auto* next = take_next();
      if (next == nullptr)
        return;
      send(*next);
      if (pace_.between_requests > milliseconds{0} && !is_repeating_)
        pause();
    }
  }

  /// In turn one that goes on and one that begins, so that a long plan has all sorts at once.
  journey* take_next() {
    auto& preferred = begins_next_ ? not_begun_ : ready_;
    auto& queue = preferred.empty() ? (begins_next_ ? ready_ : not_begun_) : preferred;
    if (queue.empty())
      return nullptr;
    begins_next_ = !begins_next_;
    auto* next = queue.front();
    queue.pop_front();
    return next;
  }

  void pause() {
    is_pausing_ = true;
    pause_.expires_after(pace_.between_requests);
    pause_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled)
        return;
      is_pausing_ = false;
      fill();
    });
  }

  [[nodiscard]] std::string key_of(const journey& one) const {
    return run_ + '-' + std::to_string(one.index) + '-' + std::to_string(one.step);
  }

  [[nodiscard]] static std::string waited_by(const journey& one) {
    const auto waited = std::chrono::steady_clock::now() - one.sent;
    return std::to_string(std::chrono::floor<milliseconds>(waited).count()) + " ms";
  }

  /// What has really become of it, as far as the node can tell.
  [[nodiscard]] std::string timeline_of(const journey& one) const {
    if (one.id.empty())
      return "no id yet";
    const client::json_client merchant{entrances_.front().url, api_key_of(one)};
    const auto story = merchant.text("/v1/payments/" + one.id + "/timeline", call_limit);
    return story ? *story : story.error().detail;
  }

  [[nodiscard]] const std::string& api_key_of(const journey& one) const {
    return api_keys_[plan_[one.index].merchant % api_keys_.size()];
  }

  void send(journey& one) {
    const auto& planned = plan_[one.index];
    http::call request;
    request.timeout = call_limit;
    if (one.step == 0) {
      request.target = "/v1/payments";
      request.body = demo::creation_body(planned, run_ + '-' + std::to_string(one.index));
    } else {
      const auto& wanted = planned.then[one.step - 1];
      request.target = "/v1/payments/" + one.id + std::string{demo::path_of(wanted.what)};
      request.body = demo::follow_up_body(wanted);
    }
    request.headers = {{"authorization", "Bearer " + api_key_of(one)},
                       {"idempotency-key", key_of(one)},
                       {"content-type", "application/json"},
                       {"prefer", std::string{preference_of(one.index)}}};
    ++in_flight_;
    one.sent = std::chrono::steady_clock::now();
    auto& through = *entrances_[one.door % entrances_.size()].client;
    through.send(std::move(request), [this, &one](http::call_result answer) {
      --in_flight_;
      one.latest = answer.how_far == http::reach::answered
                     ? std::to_string(answer.status) + ' ' + answer.body
                     : answer.failure;
      note_letdown(one, answer);
      if (is_passing(answer))
        later(one, answer);
      else if (is_repeating_)
        compare(one, answer);
      else
        keep(one, std::move(answer));
      fill();
    });
  }

  void note_letdown(journey& one, const http::call_result& answer) {
    if (answer.how_far != http::reach::answered || answer.status == 503)
      ++one.door;
    one.failures = lets_down(answer) ? one.failures + 1 : 0;
    if (one.failures == 0 || is_repeating_)
      return;
    ++(answer.status == 503 ? let_down_.refused : let_down_.unanswered);
    let_down_.twice += one.failures == 2 ? 1 : 0;
    if (let_down_.examples.size() < letdowns_shown)
      let_down_.examples.push_back(key_of(one) + " (" + std::string{preference_of(one.index)}
                                   + ") after " + waited_by(one) + ": " + one.latest);
  }

  void later(journey& one, const http::call_result& answer) {
    auto pause = pause_before_repeat;
    if (entrances_.size() > 1)
      pause = std::max(pause, wait_asked_for(answer).value_or(milliseconds{0}));
    auto timer = std::make_shared<asio::steady_timer>(background_.io(), pause);
    timer->async_wait([this, &one, timer](const boost::system::error_code& cancelled) {
      if (cancelled)
        return;
      ready_.push_back(&one);
      fill();
    });
  }

  void complain(const journey& one, const std::string& what) {
    complaints.push_back(std::string{to_string(plan_[one.index].which)} + ", key " + key_of(one)
                         + ' ' + one.id + ": " + what);
  }

  // -- the first time: every definitive answer is kept
  // ------------------------------------------

  void keep(journey& one, http::call_result answer) {
    boost::system::error_code bad;
    const auto document = json::parse(answer.body, bad);
    if (bad || !document.is_object())
      complain(one, "no JSON object: " + one.latest);
    else
      file(one, answer.status, document.as_object());
    one.answers.push_back({answer.status, std::move(answer.body)});
    const auto& planned = plan_[one.index];
    const bool goes_on = !one.id.empty() && one.answers.front().status == 201;
    if (goes_on && one.step < planned.then.size()) {
      ++one.step;
      ready_.push_back(&one);
    } else {
      note_books(one);
      end(one);
    }
    const std::scoped_lock lock{mutex_};
    ++given_;
    changed_.notify_all();
  }

  void file(journey& one, int status, const json::object& answer) {
    check(one, status, answer);
    const auto* inner = answer.if_contains("payment");
    const auto& subject = inner && inner->is_object() ? inner->as_object() : answer;
    const bool is_refund = string_at(subject, "object") == "refund";
    if (!is_refund && string_at(subject, "object") != "payment")
      return;
    demo::acknowledged heard;
    if (is_refund || one.step > 0)
      heard.what = demo::kind_of(plan_[one.index].then[one.step - 1].what);
    heard.key = key_of(one);
    if (one.step == 0)
      one.id = string_at(subject, "id");
    heard.payment = one.id;
    heard.status = string_at(subject, "status");
    heard.currency = string_at(subject, "currency");
    heard.amount = client::integer_at(subject, "amount");
    heard.captured = client::integer_at(subject, "amount_captured");
    heard.refunded = client::integer_at(subject, "amount_refunded");
    answers.push_back(std::move(heard));
  }

  /// A crash may turn an authorization into a failure, and nothing else into anything.
  void check(const journey& one, int status, const json::object& answer) {
    const auto& planned = plan_[one.index];
    const auto code = string_at(answer, "code");
    bool fine = false;
    if (one.step > 0)
      fine = status == (planned.then[one.step - 1].what == follow_up::kind::refund ? 201 : 200);
    else if (planned.which == story::refused)
      fine = status == 400 && code == "incorrect_number";
    else if (status == 402 && code == "payment_failed")
      fine = true;
    else if (planned.which == story::declined)
      fine = status == 402 && string_at(answer, "decline_code") == planned.decline_code;
    else
      fine = status == 201;
    if (!fine)
      complain(one, one.latest);
  }

  /// What this merchant takes for granted, by nothing but its own wishes and their answers.
  void note_books(const journey& one) {
    if (one.id.empty())
      return;
    expected_payment books{one.id, 0, 0};
    if (one.answers.front().status == 201) {
      const auto& planned = plan_[one.index];
      books.captured = planned.automatic ? planned.amount : 0;
      for (const auto& [what, amount, final] : planned.then) {
        if (what == follow_up::kind::capture)
          books.captured += amount != 0 ? amount : planned.amount - books.captured;
        else if (what == follow_up::kind::refund)
          books.refunded += amount != 0 ? amount : books.captured - books.refunded;
      }
    }
    payments.push_back(std::move(books));
  }

  // -- the second time: every answer must be the first one
  // --------------------------------------

  void compare(journey& one, const http::call_result& answer) {
    const auto& first = one.answers[one.step];
    // A refusal of a bad field is made anew each time, and its request id with it.
    const bool same =
      answer.status == first.status
      && (first.status == 400 || (was_replayed(answer) && answer.body == first.body));
    if (!same)
      complain(one, "was answered " + std::to_string(first.status) + ' ' + first.body
                      + ", and now " + one.latest);
    if (++one.step < one.answers.size())
      ready_.push_back(&one);
    else
      end(one);
  }

  void end(journey& one) {
    one.has_ended = true;
    const std::scoped_lock lock{mutex_};
    ++ended_;
    changed_.notify_all();
  }

  const std::vector<planned_payment> plan_;
  const std::vector<std::string> api_keys_;
  const std::string run_;
  const load_pace pace_;
  std::vector<journey> journeys_;
  std::deque<journey*> not_begun_;
  std::deque<journey*> ready_; ///< to go on
  bool begins_next_ = true;
  std::size_t in_flight_ = 0;
  bool is_repeating_ = false;
  bool is_pausing_ = false;
  bool is_closed_ = false;
  letdowns let_down_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t given_ = 0; ///< definitive answers
  std::size_t ended_ = 0; ///< journeys

  background_io background_;
  asio::steady_timer pause_{background_.io()};
  std::vector<entrance> entrances_;
  std::vector<entrance> left_; ///< They only end what they had begun.
};

crash_load::crash_load(std::vector<planned_payment> plan, std::vector<std::string> api_keys,
                       std::string run, load_pace pace)
  : work_(std::make_unique<work>(std::move(plan), std::move(api_keys), std::move(run), pace)) {}

crash_load::~crash_load() = default;

void crash_load::go_to(const std::string& http_url) {
  work_->go_to({http_url});
}

void crash_load::go_to(const std::vector<std::string>& http_urls) {
  work_->go_to(http_urls);
}

std::size_t crash_load::answers_wanted() const noexcept {
  return work_->answers_wanted();
}

void crash_load::await_answers(std::size_t count, milliseconds limit) {
  static_cast<void>(work_->await(count, limit));
}

void crash_load::await_end_or(milliseconds pause) {
  static_cast<void>(work_->await_end(pause));
}

bool crash_load::await_end(milliseconds limit) {
  return work_->await_end(limit);
}

void crash_load::wind_up() {
  work_->wind_up();
}

bool crash_load::ask_all_again(milliseconds limit) {
  work_->ask_again();
  return work_->await_end(limit);
}

const std::vector<demo::acknowledged>& crash_load::answers() const {
  return work_->answers;
}

const std::vector<expected_payment>& crash_load::payments() const {
  return work_->payments;
}

const std::vector<std::string>& crash_load::complaints() const {
  return work_->complaints;
}

letdowns crash_load::let_down() const {
  return work_->let_down();
}

std::string crash_load::open_requests() const {
  return work_->open_requests();
}

} // namespace holdfast::test
