// Answers that get lost on the way (amounts ending in 51 to 56), how long a client waits for
// them, and what its Idempotency-Key stands for meanwhile and afterwards. Part of the suite of
// api_test.cpp.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::expect_problem;
using test::payment_order;

namespace {

std::string id_in(const api_answer& answer) {
  return answer.status == 402 ? answer.text("/payment/id") : answer.text("/id");
}

http::call preferring(http::call request, std::string preference) {
  request.headers.emplace_back("Prefer", std::move(preference));
  return request;
}

/// Returns once the intent of the payment is durable.
std::string await_intent(test::api_client& api, const std::string& reference) {
  std::string id;
  const bool came = test::eventually(milliseconds{10'000}, [&] {
    const auto found = api.get("/v1/payments?reference=" + reference);
    if (found.has("/data/0"))
      id = found.text("/data/0/id");
    return !id.empty();
  });
  BOOST_TEST_REQUIRE(came);
  return id;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api)

BOOST_AUTO_TEST_CASE(finds_out_what_became_of_lost_answers) {
  struct lost_answer {
    std::int64_t amount;
    std::string_view end;
  };
  // Charged with no answer, not charged with no answer, charged with a 500, slow, reset, no
  // JSON.
  constexpr std::array table{
    lost_answer{1'051, "authorized"}, lost_answer{1'052, "failed"},
    lost_answer{1'053, "authorized"}, lost_answer{1'054, "authorized"},
    lost_answer{1'055, "authorized"}, lost_answer{1'056, "authorized"}};
  auto& suite = dev_suite::here();
  auto& api = suite.api();
  std::vector<http::call> requests;
  for (const auto& one : table)
    requests.push_back(
      api.make_post("/v1/payments", payment_order{.amount = one.amount}.body()));
  const auto answers = api.send_all(std::move(requests));

  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto& answer = answers[i];
    BOOST_TEST_CONTEXT(answer.body) {
      const bool definitive =
        table[i].end == "failed" ? answer.status == 402 : answer.status == 201;
      BOOST_TEST((definitive || answer.status == 202));
      const auto id = id_in(answer);
      const auto end = test::await_status(api, id, {"authorized", "failed", "declined"});
      BOOST_TEST(end.text("/status") == table[i].end);
      BOOST_TEST(!end.has("/next_inquiry_at"));
      const bool charged = table[i].end == "authorized";
      BOOST_TEST(suite.effective(id, "authorize") == (charged ? 1U : 0U));
      BOOST_TEST(suite.effective(id, "reverse") == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(waits_no_longer_than_the_client_prefers) {
  auto& api = dev_suite::here().api();
  const auto answer = api.send(
    preferring(api.make_post("/v1/payments", payment_order{.amount = 2'051}.body()), "wait=0"));
  expect(answer, 202);
  BOOST_TEST(answer.header("preference-applied") == "wait=0");
  BOOST_TEST(answer.header("location") == "/v1/payments/" + answer.text("/id"));
  const auto status = answer.text("/status");
  BOOST_TEST((status == "processing" || status == "pending_gateway"));
  test::await_status(api, answer.text("/id"), {"authorized"});
}

BOOST_AUTO_TEST_CASE(answers_at_once_when_the_client_does_not_wait) {
  auto& suite = dev_suite::here();
  auto& api = suite.api();
  const auto order = payment_order{.amount = 2'053}.body();
  const auto key = test::fresh_key();
  const auto first =
    api.send(preferring(api.make_post("/v1/payments", order, key), "respond-async"));
  expect(first, 202);
  BOOST_TEST(first.header("preference-applied") == "respond-async");
  BOOST_TEST(first.text("/status") == "processing");
  const auto id = first.text("/id");
  BOOST_TEST(first.header("location") == "/v1/payments/" + id);

  test::await_status(api, id, {"authorized"});
  // The database tells of it a moment before the shard has heard that it is durable.
  auto definitive = first;
  BOOST_TEST_REQUIRE(test::eventually(milliseconds{30'000}, [&] {
    definitive = api.send(api.make_post("/v1/payments", order, key));
    return definitive.status != 202;
  }));
  expect(definitive, 201);
  BOOST_TEST(definitive.text("/id") == id);
  BOOST_TEST(definitive.text("/status") == "authorized");
  BOOST_TEST(definitive.header("idempotent-replayed") == "true");
  BOOST_TEST(suite.effective(id, "authorize") == 1U);
}

BOOST_AUTO_TEST_CASE(repeats_the_202_until_the_outcome_is_known) {
  auto& api = dev_suite::here().api();
  const auto order = payment_order{.amount = 2'151}.body();
  const auto key = test::fresh_key();
  const auto first =
    api.send(preferring(api.make_post("/v1/payments", order, key), "respond-async"));
  expect(first, 202);
  // The gateway is silent for two seconds more.
  const auto second = api.send(api.make_post("/v1/payments", order, key));
  expect(second, 202);
  BOOST_TEST(second.body == first.body);
  BOOST_TEST(second.header("idempotent-replayed") == "true");
  test::await_status(api, first.text("/id"), {"authorized"});
}

BOOST_AUTO_TEST_CASE(refuses_a_repeat_while_the_first_request_runs) {
  auto& api = dev_suite::here().api();
  const auto key = test::fresh_key();
  const auto order =
    payment_order{.amount = 2'054, .further = R"("reference":"running")"}.body();
  auto first = api.begin(api.make_post("/v1/payments", order, key));
  const auto id = await_intent(api, "running");

  const auto repeat = api.send(api.make_post("/v1/payments", order, key));
  expect_problem(repeat, 409, "request_in_progress");
  BOOST_TEST(!repeat.header("retry-after").empty());
  const auto other =
    api.send(api.make_post("/v1/payments", payment_order{.amount = 1}.body(), key));
  expect(other, 422);

  const auto answer = first.get();
  expect(answer, 201);
  BOOST_TEST(answer.text("/id") == id);
}

BOOST_AUTO_TEST_CASE(replays_the_first_answer_byte_for_byte) {
  auto& suite = dev_suite::here();
  auto& api = suite.api();
  const auto key = test::fresh_key();
  const auto order = payment_order{.amount = 1'300}.body();
  const auto first = api.send(api.make_post("/v1/payments", order, key));
  expect(first, 201);
  BOOST_TEST(first.header("idempotent-replayed").empty());
  expect(api.post("/v1/payments/" + first.text("/id") + "/capture"), 200);

  // Bare and quoted (RFC 8941) spell the same key.
  for (const auto& spelling : {key, '"' + key + '"'}) {
    const auto again = api.send(api.make_post("/v1/payments", order, spelling));
    BOOST_TEST(again.status == first.status);
    BOOST_TEST(again.body == first.body);
    BOOST_TEST(again.header("content-type") == first.header("content-type"));
    BOOST_TEST(again.header("location") == first.header("location"));
    BOOST_TEST(again.header("idempotent-replayed") == "true");
  }
  BOOST_TEST(suite.effective(first.text("/id"), "authorize") == 1U);
}

BOOST_AUTO_TEST_CASE(replays_refusals_too) {
  auto& api = dev_suite::here().api();
  const auto declined =
    api.make_post("/v1/payments", payment_order{.card = "4000000000000002"}.body());
  const auto first = api.send(declined);
  expect(first, 402);
  const auto again = api.send(declined);
  expect(again, 402);
  BOOST_TEST(again.body == first.body);
  BOOST_TEST(again.header("idempotent-replayed") == "true");

  const auto path = "/v1/payments/" + first.text("/payment/id");
  const auto impossible = api.make_post(path + "/capture");
  const auto refused = api.send(impossible);
  expect(refused, 409);
  const auto refused_again = api.send(impossible);
  BOOST_TEST(refused_again.body == refused.body);
  BOOST_TEST(refused_again.header("idempotent-replayed") == "true");
}

BOOST_AUTO_TEST_CASE(refuses_a_key_that_stands_for_another_request) {
  auto& api = dev_suite::here().api();
  const auto key = test::fresh_key();
  const auto first =
    api.send(api.make_post("/v1/payments", payment_order{.amount = 1'400}.body(), key));
  expect(first, 201);
  const auto path = "/v1/payments/" + first.text("/id");
  for (const auto& other :
       {api.make_post("/v1/payments", payment_order{.amount = 1'401}.body(), key),
        api.make_post(path + "/capture", {}, key), api.make_post(path + "/void", {}, key)}) {
    const auto refused = api.send(other);
    expect_problem(refused, 422, "idempotency_key_reused");
  }
  BOOST_TEST(api.get(path).text("/status") == "authorized");
}

BOOST_AUTO_TEST_CASE(keeps_the_keys_of_merchants_apart) {
  auto& suite = dev_suite::here();
  const auto one = suite.new_merchant();
  const auto other = suite.new_merchant();
  const auto order = payment_order{}.body();
  const auto first = one.api->send(one.api->make_post("/v1/payments", order, "shared"));
  const auto second = other.api->send(other.api->make_post("/v1/payments", order, "shared"));
  expect(first, 201);
  expect(second, 201);
  BOOST_TEST(first.text("/id") != second.text("/id"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
