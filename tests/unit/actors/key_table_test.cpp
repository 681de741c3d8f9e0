// The idempotency keys in a shard's memory: which verdict a repeat gets, and what is forgotten.
#include "actors/shard/key_table.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace holdfast::shards {

namespace {

const merchant_id anna = merchant_id::make(timestamp{}, shard_number{1}, 1);
const merchant_id bert = merchant_id::make(timestamp{}, shard_number{1}, 2);

constexpr timestamp noon{std::chrono::hours{12}};
constexpr milliseconds an_hour{limits::idempotency_touch_ms};
constexpr milliseconds ten_days{limits::idempotency_key_kept_ms};

constexpr fingerprint one_request{1};
constexpr fingerprint other_request{2};

uuid subject(std::uint64_t number) {
  return make_uuid(timestamp{}, shard_number{1}, number);
}

storage::stored_answer answer(std::string body) {
  return {201, "application/json", std::move(body), "/v1/payments/1"};
}

key_verdict repeat_at(key_table& keys, const key_name& name, timestamp when,
                      const fingerprint& request = one_request) {
  return keys.begin(name, request, subject(99), when).verdict;
}

key_verdict repeat(key_table& keys, const key_name& name,
                   const fingerprint& request = one_request) {
  return repeat_at(keys, name, noon, request);
}

/// Begins and answers the key.
void answer_key(key_table& keys, const key_name& name) {
  BOOST_TEST_REQUIRE(
    (keys.begin(name, one_request, subject(1), noon).verdict == key_verdict::fresh));
  keys.finish(name, answer(name.key), noon);
}

} // namespace

BOOST_AUTO_TEST_SUITE(shard_keys)

BOOST_AUTO_TEST_CASE(a_new_key_is_fresh_once) {
  key_table keys{10};
  const auto look = keys.begin({anna, "k"}, one_request, subject(1), noon);
  BOOST_CHECK(look.verdict == key_verdict::fresh);
  BOOST_TEST(!look.answer);
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

BOOST_AUTO_TEST_CASE(an_answer_of_another_subject_is_not_the_keys) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_TEST(keys.finish_of(name, subject(1), answer("of nobody"), noon));
  BOOST_TEST(keys.size() == 0u);
  BOOST_CHECK(keys.begin(name, one_request, subject(1), noon).verdict == key_verdict::fresh);
  BOOST_TEST(!keys.finish_of(name, subject(2), answer("another's"), noon));
  BOOST_CHECK(repeat(keys, name) == key_verdict::in_progress);
  BOOST_TEST(keys.finish_of(name, subject(1), answer("its own"), noon));
  BOOST_TEST(keys.begin(name, one_request, subject(1), noon).answer->body == "its own");
}

BOOST_AUTO_TEST_CASE(another_request_under_a_key_is_a_mismatch_at_any_time) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_CHECK(repeat(keys, name) == key_verdict::fresh);
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
  keys.provisional(name, answer("pending"));
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
  keys.finish(name, answer("done"), noon);
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
}

BOOST_AUTO_TEST_CASE(a_repeat_gets_the_answer_byte_for_byte) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  const auto look = keys.begin(name, one_request, subject(2), noon);
  BOOST_REQUIRE(look.verdict == key_verdict::answered);
  BOOST_REQUIRE(look.answer.has_value());
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
  auto look = keys.begin(name, one_request, subject(2), noon);
  BOOST_REQUIRE(look.verdict == key_verdict::pending);
  BOOST_TEST(look.answer->body == "second");
  keys.finish(name, answer("done"), noon);
  keys.provisional(name, answer("too late"));
  keys.finish(name, answer("again"), noon);
  look = keys.begin(name, one_request, subject(2), noon);
  BOOST_REQUIRE(look.verdict == key_verdict::answered);
  BOOST_TEST(look.answer->body == "done");
}

BOOST_AUTO_TEST_CASE(answers_to_unknown_keys_are_ignored) {
  key_table keys{10};
  keys.finish({anna, "k"}, answer("done"), noon);
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

BOOST_AUTO_TEST_CASE(answers_leave_before_they_take_more_than_they_may) {
  constexpr std::size_t bytes_max = 100'000;
  constexpr std::size_t body_bytes = 1'000;
  key_table keys{10'000, 10, bytes_max};
  for (int i = 0; i < 1'000; ++i) {
    const key_name name{anna, std::to_string(i)};
    BOOST_CHECK(repeat(keys, name) == key_verdict::fresh);
    keys.finish(name, answer(std::string(body_bytes, 'x')), noon);
    BOOST_TEST_REQUIRE(keys.bytes() <= bytes_max);
  }
  BOOST_TEST(keys.size() > 50u);
  BOOST_TEST(keys.size() < bytes_max / body_bytes);
  BOOST_CHECK(repeat(keys, {anna, "999"}) == key_verdict::answered);
  BOOST_CHECK(repeat(keys, {anna, "0"}) == key_verdict::fresh);
}

BOOST_AUTO_TEST_CASE(what_an_expired_key_took_is_free_again) {
  key_table keys{10};
  answer_key(keys, {anna, "k"});
  BOOST_TEST(keys.bytes() > 0u);
  BOOST_CHECK(repeat_at(keys, {anna, "k"}, noon + ten_days) == key_verdict::fresh);
  BOOST_TEST(keys.bytes() == 0u);
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
  keys.restore({anna, "k"}, {one_request, subject(1), answer("done"), noon});
  BOOST_TEST(keys.size() == 0u);
}

BOOST_AUTO_TEST_CASE(restored_keys_are_answered_like_others) {
  key_table keys{10};
  keys.restore({anna, "done"}, {one_request, subject(1), answer("done"), noon});
  keys.restore({anna, "open"}, {one_request, subject(2), std::nullopt, noon});
  BOOST_CHECK(repeat(keys, {anna, "done"}) == key_verdict::answered);
  BOOST_CHECK(repeat(keys, {anna, "done"}, other_request) == key_verdict::mismatch);
  BOOST_CHECK(repeat(keys, {anna, "open"}) == key_verdict::in_progress);
  BOOST_CHECK(keys.subject_of({anna, "open"}) == subject(2));
  keys.finish({anna, "open"}, answer("late"), noon);
  BOOST_CHECK(repeat(keys, {anna, "open"}) == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(the_databases_word_replaces_a_running_keys) {
  key_table keys{10};
  const key_name name{anna, "k"};
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::fresh);
  keys.restore(name, {one_request, subject(1), answer("done"), noon});
  BOOST_CHECK(repeat(keys, name, other_request) == key_verdict::mismatch);
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
  BOOST_CHECK(keys.subject_of(name) == subject(1));
}

BOOST_AUTO_TEST_CASE(an_answer_is_not_replaced_by_a_restore) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  keys.restore(name, {other_request, subject(2), std::nullopt, noon});
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
  BOOST_TEST(keys.size() == 1u);
}

BOOST_AUTO_TEST_CASE(restored_answers_leave_like_others) {
  key_table keys{2};
  for (const char* key : {"a", "b", "c"})
    keys.restore({anna, key}, {one_request, subject(1), answer(key), noon});
  BOOST_TEST(keys.size() == 2u);
  BOOST_TEST(!keys.subject_of({anna, "a"}));
}

BOOST_AUTO_TEST_CASE(a_key_is_kept_so_long_after_its_last_use_and_no_longer) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  const auto last_use = noon + ten_days - an_hour;
  BOOST_CHECK(repeat_at(keys, name, last_use) == key_verdict::answered);
  const auto end = last_use + ten_days;
  BOOST_CHECK(repeat_at(keys, name, end - milliseconds{1}, other_request)
              == key_verdict::mismatch);
  BOOST_CHECK(repeat_at(keys, name, end, other_request) == key_verdict::fresh);
  BOOST_CHECK(repeat_at(keys, name, end, other_request) == key_verdict::in_progress);
  BOOST_CHECK(keys.subject_of(name) == subject(99));
}

BOOST_AUTO_TEST_CASE(a_key_without_an_answer_is_kept_for_ever) {
  key_table keys{10};
  BOOST_CHECK(repeat(keys, {anna, "running"}) == key_verdict::fresh);
  BOOST_CHECK(repeat(keys, {anna, "pending"}) == key_verdict::fresh);
  keys.provisional({anna, "pending"}, answer("pending"));
  BOOST_CHECK(repeat_at(keys, {anna, "running"}, noon + 9 * ten_days)
              == key_verdict::in_progress);
  BOOST_CHECK(repeat_at(keys, {anna, "pending"}, noon + 9 * ten_days) == key_verdict::pending);
  // Its time begins with its answer.
  keys.finish({anna, "pending"}, answer("late"), noon + 9 * ten_days);
  BOOST_CHECK(repeat_at(keys, {anna, "pending"}, noon + 10 * ten_days - an_hour)
              == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(a_use_is_told_once_an_hour) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  BOOST_CHECK(repeat_at(keys, name, noon + an_hour - milliseconds{1}) == key_verdict::answered);
  BOOST_TEST(!keys.has_touched());
  for (int i = 0; i < 100; ++i)
    BOOST_CHECK(repeat_at(keys, name, noon + an_hour) == key_verdict::answered);
  BOOST_CHECK(keys.take_touched(10) == std::vector{name});
  BOOST_TEST(!keys.has_touched());
  BOOST_CHECK(repeat_at(keys, name, noon + an_hour * 3 / 2) == key_verdict::answered);
  BOOST_TEST(!keys.has_touched());
  BOOST_CHECK(repeat_at(keys, name, noon + 2 * an_hour) == key_verdict::answered);
  BOOST_TEST(keys.has_touched());
}

BOOST_AUTO_TEST_CASE(only_an_answer_that_was_given_is_a_use) {
  key_table keys{10};
  const auto later = noon + 2 * an_hour;
  answer_key(keys, {anna, "done"});
  BOOST_CHECK(repeat(keys, {anna, "open"}) == key_verdict::fresh);
  BOOST_CHECK(repeat_at(keys, {anna, "done"}, later, other_request) == key_verdict::mismatch);
  BOOST_CHECK(repeat_at(keys, {anna, "open"}, later) == key_verdict::in_progress);
  keys.use({anna, "open"}, later);
  keys.use({anna, "never"}, later);
  BOOST_TEST(!keys.has_touched());
  keys.use({anna, "done"}, later);
  BOOST_TEST(keys.has_touched());
}

BOOST_AUTO_TEST_CASE(uses_are_handed_over_in_portions_and_may_come_back) {
  key_table keys{10};
  for (const char* key : {"a", "b", "c"}) {
    answer_key(keys, {anna, key});
    keys.use({anna, key}, noon + an_hour);
  }
  auto first = keys.take_touched(2);
  BOOST_TEST(first.size() == 2u);
  BOOST_TEST(keys.take_touched(2).size() == 1u);
  BOOST_TEST(keys.take_touched(2).empty());
  keys.keep_touched(std::move(first));
  BOOST_TEST(keys.take_touched(10).size() == 2u);
}

BOOST_AUTO_TEST_CASE(uses_that_find_no_room_are_told_by_a_later_one) {
  key_table keys{10, 1};
  answer_key(keys, {anna, "a"});
  answer_key(keys, {anna, "b"});
  keys.use({anna, "a"}, noon + an_hour);
  keys.use({anna, "b"}, noon + an_hour);
  BOOST_CHECK(keys.take_touched(10) == (std::vector{key_name{anna, "a"}}));
  keys.use({anna, "b"}, noon + an_hour);
  BOOST_CHECK(keys.take_touched(10) == (std::vector{key_name{anna, "b"}}));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_set_back_ends_nothing) {
  key_table keys{10};
  answer_key(keys, {anna, "k"});
  BOOST_CHECK(repeat_at(keys, {anna, "k"}, noon - an_hour) == key_verdict::answered);
  BOOST_CHECK(repeat_at(keys, {anna, "k"}, noon + ten_days - an_hour) == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(a_restored_key_ages_from_the_use_that_its_row_knows_of) {
  key_table keys{10};
  const key_name name{anna, "k"};
  keys.restore(name, {one_request, subject(1), answer("done"), noon - ten_days + an_hour});
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
  BOOST_TEST(keys.has_touched());
  keys.restore({anna, "old"}, {one_request, subject(1), answer("done"), noon - ten_days});
  BOOST_CHECK(repeat(keys, {anna, "old"}) == key_verdict::fresh);
}

BOOST_AUTO_TEST_CASE(an_answer_that_came_meanwhile_is_not_forgotten) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  keys.forget(name);
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(an_answer_is_not_forgotten) {
  key_table keys{10};
  const key_name name{anna, "k"};
  answer_key(keys, name);
  keys.forget(name);
  BOOST_CHECK(repeat(keys, name) == key_verdict::answered);
}

BOOST_AUTO_TEST_CASE(the_open_keys_of_a_payment_are_those_without_an_answer) {
  key_table keys{10};
  keys.restore({anna, "open"}, {one_request, subject(1), std::nullopt});
  keys.restore({anna, "pending"}, {one_request, subject(1), std::nullopt});
  keys.provisional({anna, "pending"}, answer("pending"));
  keys.restore({anna, "done"}, {one_request, subject(1), answer("done")});
  keys.restore({anna, "another's"}, {one_request, subject(2), std::nullopt});
  auto open = keys.open_keys_of(subject(1));
  std::ranges::sort(open, {}, &key_name::key);
  BOOST_REQUIRE_EQUAL(open.size(), 2u);
  BOOST_TEST(open[0].key == "open");
  BOOST_TEST(open[1].key == "pending");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::shards
