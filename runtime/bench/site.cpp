#include "runtime/bench/site.hpp"

#include "messages/limits.hpp"
#include "runtime/bench/baseline.hpp"
#include "runtime/bench/feeder.hpp"
#include "runtime/bench/merchant_making.hpp"
#include "runtime/demo/reading.hpp"
#include "runtime/http/client.hpp"
#include "storage/database.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <future>

#include <unistd.h>

namespace holdfast::bench {

namespace json = boost::json;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds read_limit{60'000};
constexpr milliseconds restart_limit{120'000};
constexpr milliseconds look_again{100};
/// Stored payments are so old that the search for orphans, which looks back a day, and whose
/// gateway has never heard of them, does not come by them.
constexpr milliseconds stored_age{48LL * 3'600 * 1'000};
constexpr std::uint64_t stored_between_news = 250'000;

/// The bench is to find the node's limits, not those that a small installation is given.
void widen(config::node_config& node, bool stubborn) {
  node.http.connections_max = limits::bench_connections_max;
  // No merchant's batch is full, and closed, before its cut-off is asked for.
  node.settlement.max_items = limits::config_batch_items_max;
  for (auto& gateway : node.gateways) {
    gateway.concurrency = limits::config_concurrency_max;
    if (!stubborn)
      continue;
    gateway.breaker.min_calls = 1'000'000;
    gateway.breaker.retry_rate = limits::config_calls_a_second_max;
    gateway.breaker.recovery_rate = limits::config_calls_a_second_max;
  }
}

/// As the journal of a node would have written them.
expected<void> lay_down(const std::string& database, const site_options& options) {
  feed_plan plan;
  plan.payments = options.as.stored;
  plan.dated = wall_clock_now() - stored_age;
  std::uint64_t told = 0;
  const auto fed = feed_journal(database, plan, [&](std::uint64_t done) -> expected<void> {
    const auto news = done / stored_between_news;
    if (options.tell && news > std::exchange(told, news))
      options.tell("laying down payments: " + std::to_string(done) + " of "
                   + std::to_string(plan.payments));
    if (options.pause(milliseconds{0}))
      return make_error(errc::unavailable, "interrupted");
    return {};
  });
  return fed ? expected<void>{} : fed.error();
}

/// Before the node starts.
expected<void> make_ready(const std::string& database, const site_options& options) {
  if (auto made = make_log_files(database, options.data / "psql.log"); !made)
    return made;
  return options.as.stored > 0 ? lay_down(database, options) : expected<void>{};
}

/// Blocks for what a thread of storage's answers.
template <class T, class Call>
expected<T> answer_of(Call call) {
  auto promised = std::make_shared<std::promise<expected<T>>>();
  auto answer = promised->get_future();
  call([promised](expected<T> result) { promised->set_value(std::move(result)); });
  if (answer.wait_for(read_limit) != std::future_status::ready)
    return make_error(errc::unavailable, "the database does not answer");
  return answer.get();
}

} // namespace

expected<std::unique_ptr<site>> site::open(site_options options) {
  embedded::installation_options wanted;
  wanted.data = options.data;
  wanted.http = wanted.admin = wanted.sandbox = "127.0.0.1:0";
  wanted.restart_node = true;
  wanted.tell = options.tell;
  wanted.interrupted = [pause = options.pause] { return pause(milliseconds{0}); };
  wanted.prepare = [&options](const std::string& url) { return make_ready(url, options); };
  wanted.adjust = [stubborn = options.stubborn](config::node_config& node) {
    widen(node, stubborn);
  };
  auto running = embedded::installation::start(std::move(wanted));
  if (!running)
    return running.error();
  std::unique_ptr<site> made{new site{std::move(options), std::move(*running)}};
  for (const auto step : {&site::create_merchants, &site::create_databases})
    if (auto done = (made.get()->*step)(); !done)
      return done.error();
  return made;
}

expected<void> site::create_merchants() {
  auto keys = make_merchants(node().admin, {options_.as.merchants, options_.as.stripes},
                             [this] { return check(); });
  if (!keys)
    return keys.error();
  merchants_ = std::make_shared<const merchants>(std::move(*keys), options_.as.skew);
  return {};
}

expected<void> site::create_databases() {
  const auto create = [this](const char* name, std::string& url) -> expected<void> {
    auto made = create_database(database(), name);
    if (!made)
      return made.error();
    url = std::move(*made);
    return {};
  };
  if (options_.has_baseline)
    if (auto done = create("bench_baseline", baseline_); !done)
      return done;
  if (options_.has_ceiling)
    return create("bench_ceiling", ceiling_);
  return {};
}

expected<void> site::check() {
  return check_after(milliseconds{0});
}

expected<void> site::check_after(milliseconds pause) {
  if (options_.pause(pause))
    return make_error(errc::unavailable, "interrupted");
  auto well = running_->check();
  if (well && running_->restarting())
    return make_error(errc::unavailable, "the node has died; see " + node().log);
  return well;
}

site_usage site::usage_now() const {
  const auto services = running_->services();
  return {usage_of(node().pid), usage_of_family(services.database), usage_of(services.sandbox),
          usage_of(::getpid()), machine_times_now()};
}

expected<void> site::set_rate(const std::string& fault, double rate) const {
  const auto set = client::json_client{sandbox()}.post(
    "/sandbox/faults",
    json::object{{"gateway", "*"}, {"seed", 1}, {"rates", json::object{{fault, rate}}}});
  return set ? expected<void>{} : set.error();
}

expected<void> site::end_faults() const {
  http::call request;
  request.method = "DELETE";
  request.target = "/sandbox/faults";
  const auto ended = http::fetch(sandbox(), std::move(request));
  if (!ended)
    return ended.error();
  if (ended->status / 100 != 2)
    return make_error(errc::unavailable, "the sandbox's faults can't be ended: HTTP "
                                           + std::to_string(ended->status));
  return {};
}

expected<std::vector<storage::status_count>> site::count_payments() const {
  const auto opened = storage::open_database(whole_database(database(), "bench"));
  if (!opened)
    return opened.error();
  return answer_of<std::vector<storage::status_count>>(
    [&](auto done) { (*opened)->store().count_by_status(std::move(done)); });
}

expected<void> site::await_none(const std::vector<std::string>& statuses, milliseconds limit) {
  const auto deadline = steady::now() + limit;
  for (;;) {
    const auto counts = count_payments();
    if (!counts)
      return counts.error();
    const auto is_meant = [&](const storage::status_count& row) {
      return std::ranges::find(statuses, row.status) != statuses.end();
    };
    const auto left = std::ranges::find_if(*counts, is_meant);
    if (left == counts->end())
      return {};
    if (steady::now() > deadline)
      return make_error(errc::unavailable,
                        std::to_string(left->payments) + " payments are still " + left->status);
    if (auto well = check_after(look_again); !well)
      return well;
  }
}

expected<tally> site::compare(std::vector<payment_id> acknowledged,
                              const expectation& wanted) const {
  evidence found;
  found.acknowledged = std::move(acknowledged);
  auto counts = count_payments();
  if (!counts)
    return counts.error();
  found.database = std::move(*counts);
  const auto read = demo::for_each_record(sandbox(), 0, [&](demo::sandbox_record one) {
    if (is_evidence(one, wanted))
      found.sandbox.push_back(std::move(one));
  });
  if (!read)
    return read.error();
  return count(std::move(found), wanted);
}

expected<milliseconds> site::restart_node() {
  ::kill(node().pid, SIGKILL);
  const auto began = steady::now();
  const auto deadline = began + restart_limit;
  const auto dead = node().pid;
  while (node().pid == dead || running_->restarting()) {
    if (auto well = running_->check(); !well)
      return well.error();
    if (options_.pause(embedded::installation::check_every))
      return make_error(errc::unavailable, "interrupted");
    if (steady::now() > deadline)
      return make_error(errc::unavailable, "the node does not come back; see " + node().log);
  }
  return std::chrono::duration_cast<milliseconds>(steady::now() - began);
}

} // namespace holdfast::bench
