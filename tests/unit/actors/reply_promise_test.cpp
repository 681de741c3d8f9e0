// The one answer that every request is owed: exactly one, whatever becomes of who owes it.
#include "actors/reply_promise.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace holdfast::actors {

namespace {

using replies = std::vector<api_reply>;

promise_ptr promise_into(replies& heard) {
  return std::make_shared<reply_promise>(
    [&heard](api_reply reply) { heard.push_back(std::move(reply)); }, "req-1");
}

api_reply reply(const char* body) {
  api_reply made;
  made.status = 201;
  made.body = body;
  return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(reply_promises)

BOOST_AUTO_TEST_CASE(the_answer_arrives_as_it_is) {
  replies heard;
  auto promise = promise_into(heard);
  BOOST_TEST(promise->request_id() == "req-1");
  promise->deliver(reply("done"));
  BOOST_REQUIRE_EQUAL(heard.size(), 1u);
  BOOST_TEST(heard[0].status == 201);
  BOOST_TEST(heard[0].body == "done");
}

BOOST_AUTO_TEST_CASE(only_the_first_answer_counts) {
  replies heard;
  auto promise = promise_into(heard);
  promise->deliver(reply("first"));
  promise->deliver(reply("second"));
  promise.reset();
  BOOST_REQUIRE_EQUAL(heard.size(), 1u);
  BOOST_TEST(heard[0].body == "first");
}

BOOST_AUTO_TEST_CASE(dropped_unanswered_it_says_that_repeating_helps) {
  replies heard;
  promise_into(heard).reset();
  BOOST_REQUIRE_EQUAL(heard.size(), 1u);
  BOOST_TEST(heard[0].status == 503);
  BOOST_TEST(heard[0].content_type == "application/problem+json");
  BOOST_TEST(heard[0].retry_after_s == 1u);
  BOOST_TEST(heard[0].body.find(R"("code":"shard_unavailable")") != std::string::npos);
  BOOST_TEST(heard[0].body.find(R"("request_id":"req-1")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_waits_for_the_last_who_holds_it) {
  replies heard;
  auto one = promise_into(heard);
  auto other = one;
  one.reset();
  BOOST_TEST(heard.empty());
  other->deliver(reply("done"));
  BOOST_TEST(heard.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_sets_off_another_is_still_the_only_one) {
  int count = 0;
  promise_ptr promise;
  promise = std::make_shared<reply_promise>(
    [&](api_reply) {
      ++count;
      promise->deliver(reply("again"));
    },
    "req-1");
  promise->deliver(reply("done"));
  promise.reset();
  BOOST_TEST(count == 1);
}

BOOST_AUTO_TEST_CASE(without_anyone_to_hear_nothing_happens) {
  reply_promise promise{nullptr, "req-1"};
  promise.deliver(reply("done"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::actors
