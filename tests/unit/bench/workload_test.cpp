#include "runtime/bench/workload.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <map>
#include <set>

namespace holdfast::bench {

namespace {

constexpr const char* some_id = "pay_0192f0000000800080000000000000aa";
constexpr const char* other_id = "pay_0192f0000000800080000000000000bb";

naming someone() {
  return {std::make_shared<const merchants>(std::vector<std::string>{"hf_test_key"}, 0),
          "run-1"};
}

http::call_result answered(std::uint16_t status, const std::string& id = some_id) {
  return {
    http::reach::answered, status, {}, R"({"id":")" + id + R"(","object":"payment"})", {}};
}

std::string header(const http::call& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name)
      return value;
  return {};
}

} // namespace

BOOST_AUTO_TEST_SUITE(bench_workload)

BOOST_AUTO_TEST_CASE(journeys_are_spread_evenly_or_as_zipf_says) {
  const std::vector<std::string> keys{"a", "b", "c", "d"};
  const merchants even{keys, 0};
  const merchants skewed{keys, 2};
  std::map<std::string, int> evenly, unevenly;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    ++evenly[even.key_of(i)];
    ++unevenly[skewed.key_of(i)];
  }
  for (const auto& key : keys)
    BOOST_TEST(std::abs(evenly["Bearer " + key] - 2'500) < 200);
  // 1 / (1 + 1/4 + 1/9 + 1/16) = 0.702
  BOOST_TEST(std::abs(unevenly["Bearer a"] - 7'020) < 200);
  BOOST_TEST(unevenly["Bearer d"] < unevenly["Bearer c"]);
}

BOOST_AUTO_TEST_CASE(
  every_request_of_a_run_has_a_key_of_its_own_and_the_same_when_asked_again) {
  const auto what = make_payments(someone(), ending::captured_by_second);
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < 50; ++i)
    for (std::uint32_t step = 0; step < 2; ++step)
      keys.insert(header(what->request_of({i, step, {}}), "idempotency-key"));
  BOOST_TEST(keys.size() == 100U);
  BOOST_TEST(header(what->request_of({3, 1, {}}), "idempotency-key")
             == header(what->request_of({3, 1, {}}), "idempotency-key"));
}

BOOST_AUTO_TEST_CASE(amounts_ask_the_sandbox_for_nothing_odd) {
  const auto what = make_payments(someone(), ending::authorized);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto body = what->request_of({i, 0, {}}).body;
    const auto end = body.find(',');
    BOOST_TEST(body.substr(end - 2, 2) == "00");
  }
}

BOOST_AUTO_TEST_CASE(an_authorization_is_done_with_the_payment_that_was_made) {
  const auto what = make_payments(someone(), ending::authorized);
  journey one;
  BOOST_TEST((what->take(one, answered(201)) == heard::done));
  BOOST_TEST(one.payment.text() == some_id);
}

BOOST_AUTO_TEST_CASE(a_capture_follows_and_must_be_of_the_same_payment) {
  const auto what = make_payments(someone(), ending::captured_by_second);
  journey one;
  BOOST_TEST((what->take(one, answered(201)) == heard::goes_on));
  BOOST_TEST(what->request_of(one).target
             == std::string{"/v1/payments/"} + some_id + "/capture");
  auto strayed = one;
  BOOST_TEST((what->take(strayed, answered(200, other_id)) == heard::wrong));
  BOOST_TEST((what->take(one, answered(200)) == heard::done));
}

BOOST_AUTO_TEST_CASE(what_nobody_knows_or_was_turned_away_is_asked_again) {
  const auto what = make_payments(someone(), ending::authorized);
  journey one;
  for (const auto status : std::to_array<std::uint16_t>({202, 409, 429, 500, 503}))
    BOOST_TEST((what->take(one, answered(status)) == heard::unsettled));
  BOOST_TEST((what->take(one, http::call_result{}) == heard::unsettled));
  BOOST_TEST((what->take(one, answered(402)) == heard::wrong));
  BOOST_TEST((what->take(one, answered(201, "")) == heard::wrong));
  const auto pending = make_payments(someone(), ending::pending);
  BOOST_TEST((pending->take(one, answered(202)) == heard::done));
}

BOOST_AUTO_TEST_CASE(a_replay_must_say_so_and_name_the_first_payment) {
  const known_payment known{17, payment_id::parse(some_id).value()};
  const auto what = make_replays(someone(), {known});
  journey one{5, 0, {}};
  const auto original = make_payments(someone(), ending::authorized)->request_of({17, 0, {}});
  BOOST_TEST(what->request_of(one).body == original.body);
  BOOST_TEST(header(what->request_of(one), "idempotency-key")
             == header(original, "idempotency-key"));
  BOOST_TEST((what->take(one, answered(201)) == heard::wrong));
  auto marked = answered(201);
  marked.headers = {{"idempotent-replayed", "true"}};
  BOOST_TEST((what->take(one, marked) == heard::done));
  auto other = answered(201, other_id);
  other.headers = marked.headers;
  BOOST_TEST((what->take(one, other) == heard::wrong));
}

BOOST_AUTO_TEST_CASE(a_read_must_find_its_payment) {
  const auto what = make_reads(someone(), {{3, payment_id::parse(some_id).value()}});
  journey one;
  BOOST_TEST(what->request_of(one).method == "GET");
  BOOST_TEST((what->take(one, answered(200)) == heard::done));
  BOOST_TEST((what->take(one, answered(404)) == heard::wrong));
  BOOST_TEST((what->take(one, answered(200, other_id)) == heard::wrong));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::bench
