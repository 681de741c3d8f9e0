#include "tests/integration/cluster/cluster_suite.hpp"

#include "messages/assert.hpp"
#include "runtime/demo/plan.hpp"
#include "runtime/demo/reading.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>

namespace holdfast::test {

namespace {

/// More than a load comes to before it is wound up.
constexpr std::size_t payments_planned = 20'000;
constexpr std::size_t answers_under_way = 30;

cluster_suite* running = nullptr;

} // namespace

cluster_suite::cluster_suite(cluster_options options, std::size_t started)
  : nodes_(std::move(options)),
    loads_(nodes_) {
  HF_ASSERT(running == nullptr);
  for (std::size_t node = 0; node < started; ++node)
    nodes_.start(node);
  nodes_.await_balance();
  merchants_ = std::make_unique<wide_merchants>(nodes_);
  merchants_->introduce(loads_.audit());
  running = this;
}

cluster_suite::~cluster_suite() {
  running = nullptr;
}

cluster_suite& cluster_suite::here() {
  HF_ASSERT(running != nullptr);
  return *running;
}

std::unique_ptr<crash_load> cluster_suite::begin_load(load_pace pace) {
  auto load = loads_.begin(demo::make_plan(payments_planned, first_seed()), pace);
  load->go_to(nodes_.entrances());
  load->await_answers(answers_under_way, end_limit);
  return load;
}

void cluster_suite::finish(crash_load& load, const std::string& where) {
  load.wind_up();
  await_outcomes();
  loads_.finish(load, where);
}

void cluster_suite::await_outcomes() {
  // What never ends is the audit's to tell.
  static_cast<void>(eventually(end_limit, [&] {
    return nodes_.numbers("select count(*) from payment where status in (1, 2)", 1).front()
           == 0;
  }));
}

std::unique_ptr<api_client> cluster_suite::client(std::size_t node, shard_number shard) const {
  return std::make_unique<api_client>(nodes_.http(node), merchants_->api_key(shard));
}

http::call cluster_suite::payment_call(const api_client& through, const payment_order& order,
                                       std::string key, std::string_view preference) {
  auto call = through.make_post("/v1/payments", order.body(), std::move(key));
  call.headers.emplace_back("Prefer", preference);
  return call;
}

api_answer cluster_suite::pay(std::size_t node, shard_number shard,
                              std::string_view preference) {
  const auto api = client(node, shard);
  return api->send(payment_call(*api, {}, merchants_->key_to(shard), preference));
}

api_answer cluster_suite::insist(std::size_t node, shard_number shard, const std::string& key) {
  const auto api = client(node, shard);
  api_answer answer;
  const bool answered = eventually(end_limit, [&] {
    answer = api->send(payment_call(*api, {}, key, "wait=2"));
    return answer.status == 201;
  });
  BOOST_TEST_REQUIRE(answered, "at " << test::cluster::id_of(node) << ": " << answer.body);
  return answer;
}

shard_number cluster_suite::shard_of(std::size_t node) const {
  const auto served = nodes_.served_by(node);
  if (served.empty())
    throw std::runtime_error{test::cluster::id_of(node) + " serves nothing\n" + nodes_.logs()};
  return {served.front()};
}

std::ptrdiff_t charges_of(const cluster& nodes, const std::string& payment) {
  const auto records = demo::read_records(nodes.sandbox()).value();
  return std::ranges::count_if(records, [&](const auto& record) {
    return record.effective && record.kind == "authorize"
           && demo::payment_of(record.reference) == payment;
  });
}

std::string describe(const letdowns& found) {
  auto text = std::to_string(found.refused) + " refused, " + std::to_string(found.unanswered)
              + " without an answer, " + std::to_string(found.twice) + " twice in a row";
  for (const auto& one : found.examples)
    text += '\n' + one;
  return text;
}

} // namespace holdfast::test
