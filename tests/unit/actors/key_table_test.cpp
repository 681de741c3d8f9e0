// The idempotency keys in a shard's memory: which verdict a repeat gets, and what is forgotten.
#include "actors/shard/key_table.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::shards {

namespace {

const merchant_id anna = merchant_id::make(timestamp{}, shard_number{1}, 1);
const merchant_id bert = merchant_id::make(timestamp{}, shard_number{1}, 2);

constexpr fingerprint one_request{1};
constexpr fingerprint other_request{2};

uuid subject(std::uint64_t number) {
  return make_uuid(timestamp{}, shard_number{1}, number);
}

storage::stored_answer answer(std::string body) {
  return {201, "application/json", std::move(body), "/v1/payments/1"};
}

key_verdict repeat(key_table& keys, const key_name& name,
                   const fingerprint& request = one_request) {
  return keys.begin(name, request, subject(99)).verdict;
}

/// Begins and answers the key.
void answer_key(key_table& keys, const key_name& name) {
  BOOST_TEST_REQUIRE((keys.begin(name, one_request, subject(1)).verdict == key_verdict::fresh));
  keys.finish(name, answer(name.key));
}

} // namespace

BOOST_AUTO_TEST_SUITE(shard_keys)

BOOST_AUTO_TEST_CASE(a_new_key_is_fresh_once) {
  key_table keys{10};
  const auto look = keys.begin({anna, "k"}, one_request, subject(1));
  BOOST_CHECK(look.verdict == key_verdict::fresh);
  BOOST_TEST(look.answer == nullptr);
  BOOST_CHECK(keys.subject_of({anna, "k"}) == subject(1));
  BOOST_CHECK(repeat(keys, {anna, "k"}) == key_verdict::in_progress);
  BOOST_CHECK(keys.subject_of({anna, "k"}) == subject(1));
  BOOST_TEST(keys.size() == 1u);
}

BOOST_AUTO_TEST_CASE(keys_of_two_merchants_are_two) {
  key_table keys{10};
  answer_key(keys, {anna, "k"});
  BOOST_CHECK(repeat(keys, {bert, "k"}) == key_verdict::fresh);
}

BOOST_AUTO_TEST_CASE(another_request_under_a_key_is_a_mismatch_at_any_time) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_CHECK(repeat(keys, name) == key_verdict::fresh);
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
  keys.provisional(name, answer("pending"));
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
  keys.finish(name, answer("done"));
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
}

BOOST_AUTO_TEST_CASE(a_repeat_gets_the_answer_byte_for_byte) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  const auto look = keys.begin(name, one_request, subject(2));
  BOOST_REQUIRE(look.verdict == key_verdict::answered);
  BOOST_REQUIRE(look.answer != nullptr);
  BOOST_TEST(look.answer->status == 201);
  BOOST_TEST(look.answer->content_type == "application/json");
  BOOST_TEST(look.answer->body == "k");
  BOOST_TEST(look.answer->location == "/v1/payments/1");
}

BOOST_AUTO_TEST_CASE(a_provisional_answer_stands_until_the_definitive_one) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_CHECK(repeat(keys, name) == key_verdict::fresh);
  keys.provisional(name, answer("first"));
  keys.provisional(name, answer("second"));
  auto look = keys.begin(name, one_request, subject(2));
  BOOST_REQUIRE(look.verdict == key_verdict::pending);
  BOOST_TEST(look.answer->body == "second");
  keys.finish(name, answer("done"));
  keys.provisional(name, answer("too late"));
  keys.finish(name, answer("again"));
  look = keys.begin(name, one_request, subject(2));
  BOOST_REQUIRE(look.verdict == key_verdict::answered);
  BOOST_TEST(look.answer->body == "done");
}

BOOST_AUTO_TEST_CASE(answers_to_unknown_keys_are_ignored) {
  key_table keys{10};
  keys.finish({anna, "k"}, answer("done"));
  keys.provisional({anna, "k"}, answer("pending"));
  keys.forget({anna, "k"});
  BOOST_TEST(keys.size() == 0u);
  BOOST_TEST(!keys.subject_of({anna, "k"}));
}

BOOST_AUTO_TEST_CASE(a_forgotten_key_is_fresh_again) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_CHECK(repeat(keys, name) == key_verdict::fresh);
  keys.forget(name);
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::fresh);
  keys.provisional(name, answer("pending"));
  keys.forget(name);
  BOOST_TEST(keys.size() == 0u);
}

BOOST_AUTO_TEST_CASE(the_answered_key_that_was_used_longest_ago_leaves_first) {
  key_table keys{3};
  for (const char* key : {"a", "b", "c"})
    answer_key(keys, {anna, key});
  BOOST_CHECK(repeat(keys, {anna, "a"}) == key_verdict::answered);
  answer_key(keys, {anna, "d"});
  BOOST_TEST(keys.size() == 3u);
  BOOST_TEST(!keys.subject_of({anna, "b"}));
  for (const char* key : {"a", "c", "d"})
    BOOST_CHECK(repeat(keys, {anna, key}) == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(what_has_no_answer_yet_never_leaves) {
  key_table keys{2};
  BOOST_CHECK(repeat(keys, {anna, "running"}) == key_verdict::fresh);
  BOOST_CHECK(repeat(keys, {anna, "pending"}) == key_verdict::fresh);
  keys.provisional({anna, "pending"}, answer("pending"));
  for (int i = 0; i < 100; ++i)
    answer_key(keys, {anna, std::to_string(i)});
  BOOST_TEST(keys.size() == 4u);
  BOOST_CHECK(repeat(keys, {anna, "running"}) == key_verdict::in_progress);
  BOOST_CHECK(repeat(keys, {anna, "pending"}) == key_verdict::pending);
}

BOOST_AUTO_TEST_CASE(a_table_of_no_answers_keeps_none) {
  key_table keys{0};
  answer_key(keys, {anna, "k"});
  BOOST_TEST(keys.size() == 0u);
  keys.restore({anna, "k"}, {one_request, subject(1), answer("done")});
  BOOST_TEST(keys.size() == 0u);
}

BOOST_AUTO_TEST_CASE(restored_keys_are_answered_like_others) {
  key_table keys{10};
  keys.restore({anna, "done"}, {one_request, subject(1), answer("done")});
  keys.restore({anna, "open"}, {one_request, subject(2), std::nullopt});
  BOOST_CHECK(repeat(keys, {anna, "done"}) == key_verdict::answered);
  BOOST_CHECK(repeat(keys, {anna, "done"}, other_request) == key_verdict::mismatch);
  BOOST_CHECK(repeat(keys, {anna, "open"}) == key_verdict::in_progress);
  BOOST_CHECK(keys.subject_of({anna, "open"}) == subject(2));
  keys.finish({anna, "open"}, answer("late"));
  BOOST_CHECK(repeat(keys, {anna, "open"}) == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(the_databases_word_replaces_a_running_keys) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::fresh);
  keys.restore(name, {one_request, subject(1), answer("done")});
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
  BOOST_CHECK(keys.subject_of(name) == subject(1));
}

BOOST_AUTO_TEST_CASE(an_answer_is_not_replaced_by_a_restore) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  keys.restore(name, {other_request, subject(2), std::nullopt});
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
  BOOST_TEST(keys.size() == 1u);
}

BOOST_AUTO_TEST_CASE(restored_answers_leave_like_others) {
  key_table keys{2};
  for (const char* key : {"a", "b", "c"})
    keys.restore({anna, key}, {one_request, subject(1), answer(key)});
  BOOST_TEST(keys.size() == 2u);
  BOOST_TEST(!keys.subject_of({anna, "a"}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::shards
