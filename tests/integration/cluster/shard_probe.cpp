#include "tests/integration/cluster/shard_probe.hpp"

#include "messages/assert.hpp"
#include "runtime/http/client.hpp"
#include "tests/integration/api_client.hpp"
#include "tests/support/http_probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace holdfast::test {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds attempt_limit{10'000};
constexpr milliseconds pause_between{10};
constexpr std::size_t connections_a_door = 64;

class probe {
public:
  probe(wide_merchants& merchants, const std::vector<shard_number>& shards,
        steady_clock::time_point since)
    : merchants_(merchants),
      wanted_(std::ssize(shards)),
      since_(since) {
    for (const auto shard : shards)
      found_[shard] = {.shard = shard};
  }

  ~probe() {
    background_.run([this] { doors_.clear(); });
  }

  void begin(const std::vector<std::string>& http_urls) {
    std::vector<std::unique_ptr<http::client>> doors;
    for (const auto& url : http_urls) {
      auto made = http::client::create(
        background_.io(), {.base_url = url, .connections_max = connections_a_door});
      if (!made)
        throw std::runtime_error{url + ": " + made.error().detail};
      doors.push_back(std::move(*made));
    }
    background_.run([&] {
      doors_ = std::move(doors);
      for (auto& door : doors_)
        for (const auto& [shard, none] : found_)
          ask(*door, shard);
    });
  }

  bool await(milliseconds limit) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit,
                             [&] { return successes_ == wanted_ && under_way_ == 0; });
  }

  std::vector<first_success> results() {
    std::vector<first_success> all;
    background_.run([&] {
      for (const auto& [shard, one] : found_)
        all.push_back(one);
    });
    return all;
  }

  std::string latest() {
    std::string text;
    background_.run([&] { text = latest_; });
    return text;
  }

private:
  void ask(http::client& door, shard_number shard) {
    http::call request;
    request.target = "/v1/payments";
    request.body = payment_order{}.body();
    request.headers = {{"authorization", "Bearer " + merchants_.api_key(shard)},
                       {"idempotency-key", merchants_.key_to(shard)},
                       {"content-type", "application/json"}};
    request.timeout = attempt_limit;
    count(under_way_, 1);
    door.send(std::move(request), [this, &door, shard](http::call_result answer) {
      count(under_way_, -1);
      auto& found = found_[shard];
      if (found.after > milliseconds{0})
        return;
      ++found.attempts;
      if (answer.status == 201)
        return succeed(found);
      latest_ = "shard " + std::to_string(shard.value) + ": " + std::to_string(answer.status)
                + ' ' + answer.failure + answer.body;
      auto timer = std::make_shared<asio::steady_timer>(background_.io(), pause_between);
      timer->async_wait(
        [this, &door, shard, timer](const boost::system::error_code& cancelled) {
          if (!cancelled && !doors_.empty())
            ask(door, shard);
        });
    });
  }

  void succeed(first_success& found) {
    found.after = std::chrono::ceil<milliseconds>(steady_clock::now() - since_);
    count(successes_, 1);
  }

  void count(std::ptrdiff_t& what, std::ptrdiff_t by) {
    const std::scoped_lock lock{mutex_};
    what += by;
    changed_.notify_all();
  }

  wide_merchants& merchants_;
  const std::ptrdiff_t wanted_;
  const steady_clock::time_point since_;
  std::map<shard_number, first_success> found_;
  std::string latest_ = "nothing was answered"; ///< failure, of any shard

  std::mutex mutex_;
  std::condition_variable changed_;
  std::ptrdiff_t successes_ = 0;
  std::ptrdiff_t under_way_ = 0;

  std::vector<std::unique_ptr<http::client>> doors_; ///< empty: it is over
  background_io background_;
};

} // namespace

std::vector<first_success> probe_shards(wide_merchants& merchants,
                                        const std::vector<shard_number>& shards,
                                        const std::vector<std::string>& http_urls,
                                        steady_clock::time_point since, milliseconds limit) {
  probe under_way{merchants, shards, since};
  under_way.begin(http_urls);
  if (!under_way.await(limit))
    throw std::runtime_error{"shards are still out after " + std::to_string(limit.count())
                             + " ms: " + under_way.latest()};
  return under_way.results();
}

milliseconds quantile(std::vector<milliseconds> values, double share) {
  HF_ASSERT(!values.empty());
  const auto rank =
    static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  std::ranges::sort(values);
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

} // namespace holdfast::test
