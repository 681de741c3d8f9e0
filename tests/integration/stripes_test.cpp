// A merchant that is spread over several shards sees one merchant: one feed, one set of keys.
// Part of the suite of api_test.cpp.
#include "messages/ids.hpp"
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/json/array.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <map>
#include <set>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::expect_problem;
using test::make_payment;
using test::test_merchant;

namespace {

constexpr int stripes = 4;
constexpr int feed_payments = 40;
constexpr int key_rounds = 20;
constexpr milliseconds feed_limit{30'000};

shard_number shard_of_payment(const std::string& payment) {
  return payment_id::parse(payment).value().shard();
}

/// Two held payments of the merchant that lie in different shards.
std::pair<std::string, std::string> payments_apart(const test_merchant& merchant) {
  const auto one = make_payment(*merchant.api, {});
  for (int i = 0; i < 64; ++i) {
    const auto other = make_payment(*merchant.api, {});
    if (shard_of_payment(other) != shard_of_payment(one))
      return {one, other};
  }
  throw std::runtime_error("64 keys in one of several shards");
}

http::call make_capture(const test_merchant& merchant, const std::string& payment,
                        const std::string& key) {
  return merchant.api->make_post("/v1/payments/" + payment + "/capture", {}, key);
}

/// Follows a feed as a client does, in pages of one to three, and looks at the order.
class follower {
public:
  explicit follower(test::api_client& api) : api_(api) {}

  /// True when there was nothing new.
  bool read_page() {
    auto target = "/v1/events?limit=" + std::to_string(1 + pages_++ % 3);
    if (!cursor_.empty())
      target += "&after=" + cursor_;
    const auto page = api_.get(target);
    expect(page, 200);
    const auto& data = page.at("/data").as_array();
    for (const auto& event : data) {
      auto& last = last_seq_[event.at("shard").as_int64()];
      BOOST_TEST(event.at("seq").as_int64() > last);
      last = event.at("seq").as_int64();
      ids_.emplace_back(event.at("id").as_string());
    }
    if (!page.at("/next").is_null())
      cursor_ = page.text("/next");
    return data.empty();
  }

  [[nodiscard]] const std::vector<std::string>& ids() const noexcept { return ids_; }
  [[nodiscard]] std::size_t shards() const noexcept { return last_seq_.size(); }

private:
  test::api_client& api_;
  int pages_ = 0;
  std::string cursor_;
  std::vector<std::string> ids_;
  std::map<std::int64_t, std::int64_t> last_seq_;
};

/// What the log holds of a payment, read by another way than the feed.
std::vector<std::string> logged_events(test::api_client& api, const std::string& payment) {
  const auto story = api.get("/v1/payments/" + payment + "/timeline");
  std::vector<std::string> ids;
  for (const auto& event : story.at("/events").as_array())
    ids.emplace_back(event.at("id").as_string());
  return ids;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api)

BOOST_AUTO_TEST_CASE(follows_the_feed_over_shards_without_gap_or_repetition) {
  const auto merchant = dev_suite::here().new_merchant(stripes);
  auto writer = std::async(std::launch::async, [&] {
    std::vector<std::string> payments;
    for (int i = 0; i < feed_payments; ++i)
      payments.push_back(make_payment(*merchant.api, {.capture = "automatic"}));
    return payments;
  });
  // The reader has a connection of its own, so that it overtakes the writer again and again.
  test::api_client reader{dev_suite::here().node().http(), merchant.api_key};
  follower feed{reader};
  constexpr std::size_t events_a_payment = 5;
  const bool came = test::eventually(feed_limit, [&] {
    while (!feed.read_page()) {}
    return feed.ids().size() >= feed_payments * events_a_payment;
  });
  const auto payments = writer.get();
  BOOST_TEST(came, feed.ids().size() << " events");
  BOOST_TEST(feed.read_page());

  std::set<std::string> logged;
  for (const auto& payment : payments)
    for (auto& id : logged_events(*merchant.api, payment))
      logged.insert(std::move(id));
  const std::set<std::string> read{feed.ids().begin(), feed.ids().end()};
  BOOST_TEST(read.size() == feed.ids().size(), "an event came twice");
  BOOST_TEST(read == logged);
  BOOST_TEST(feed.shards() == static_cast<std::size_t>(stripes));
}

BOOST_AUTO_TEST_CASE(refuses_a_cursor_that_is_not_of_the_feed) {
  auto& suite = dev_suite::here();
  const auto wide = suite.new_merchant(stripes);
  const auto narrow = suite.new_merchant();
  make_payment(*wide.api, {});
  make_payment(*narrow.api, {});
  const auto page = wide.api->get("/v1/events?limit=1");
  const auto cursor = page.text("/next");
  expect(wide.api->get("/v1/events?after=" + cursor), 200);
  for (const auto& wrong :
       {page.text("/data/0/id"), cursor + "0", cursor.substr(0, cursor.size() - 1),
        std::string{"7"}, narrow.api->get("/v1/events").text("/next")})
    expect_problem(wide.api->get("/v1/events?after=" + wrong), 400, "invalid_parameter",
                   "after");
  expect_problem(narrow.api->get("/v1/events?after=" + cursor), 400, "invalid_parameter",
                 "after");
}

BOOST_AUTO_TEST_CASE(knows_a_key_in_whatever_shard_it_was_used) {
  auto& suite = dev_suite::here();
  const auto merchant = suite.new_merchant(stripes);
  auto& api = *merchant.api;
  const auto [one, other] = payments_apart(merchant);
  const auto key = test::fresh_key();
  const auto first = api.send(make_capture(merchant, one, key));
  expect(first, 200);
  for (int i = 0; i < 2; ++i) // from the database, then from the other shard's memory
    expect_problem(api.send(make_capture(merchant, other, key)), 422, "idempotency_key_reused");
  BOOST_TEST(api.get("/v1/payments/" + other).text("/status") == "authorized");
  BOOST_TEST(suite.effective(other, "capture") == 0U);

  const auto order = test::payment_order{.further = R"("reference":"reused")"}.body();
  expect_problem(api.send(api.make_post("/v1/payments", order, key)), 422,
                 "idempotency_key_reused");
  BOOST_TEST(!api.get("/v1/payments?reference=reused").has("/data/0"));
  const auto again = api.send(make_capture(merchant, one, key));
  expect(again, 200);
  BOOST_TEST(again.body == first.body);
  BOOST_TEST(again.header("idempotent-replayed") == "true");
}

BOOST_AUTO_TEST_CASE(knows_the_key_of_a_creation_in_every_shard) {
  const auto merchant = dev_suite::here().new_merchant(stripes);
  auto& api = *merchant.api;
  const auto key = test::fresh_key();
  expect(api.send(api.make_post("/v1/payments", test::payment_order{}.body(), key)), 201);
  const auto [one, other] = payments_apart(merchant);
  for (const auto& payment : {one, other}) {
    expect_problem(api.send(make_capture(merchant, payment, key)), 422,
                   "idempotency_key_reused");
    BOOST_TEST(api.get("/v1/payments/" + payment).number("/amount_captured") == 0);
  }
}

BOOST_AUTO_TEST_CASE(acts_once_when_two_shards_are_sent_one_key_together) {
  auto& suite = dev_suite::here();
  const auto merchant = suite.new_merchant(stripes);
  for (int round = 0; round < key_rounds; ++round) {
    const auto [one, other] = payments_apart(merchant);
    const auto key = test::fresh_key();
    const auto answers = merchant.api->send_all(
      {make_capture(merchant, one, key), make_capture(merchant, other, key)});
    const auto& won = answers[0].status == 200 ? answers[0] : answers[1];
    const auto& lost = answers[0].status == 200 ? answers[1] : answers[0];
    expect(won, 200);
    expect_problem(lost, 422, "idempotency_key_reused");
    BOOST_TEST(suite.effective(one, "capture") + suite.effective(other, "capture") == 1U);
    BOOST_TEST(suite.effective(won.text("/id"), "capture") == 1U);
    // Also once the winner's answer is there.
    const auto& loser = won.text("/id") == one ? other : one;
    expect_problem(merchant.api->send(make_capture(merchant, loser, key)), 422,
                   "idempotency_key_reused");
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
