#include "runtime/sandbox/gateway_book.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::sandbox {

namespace {

/// A book whose facts are numbered and applied as the sandbox does it.
class driven_book {
public:
  fact authorize(std::string_view reference, std::int64_t amount, reason verdict = reason::none,
                 std::string_view currency = "EUR") {
    plan made;
    const authorization_request request{reference, amount, currency, verdict, "4242"};
    BOOST_REQUIRE(book_.plan_authorization(request, next_seq_, made));
    return commit(made);
  }

  fact reverse(std::string_view reference) {
    plan made;
    BOOST_REQUIRE(book_.plan_reversal(reference, made));
    return commit(made);
  }

  fact operate(fact_kind kind, std::string_view reference, std::int64_t amount,
               bool final = false) {
    plan made;
    BOOST_REQUIRE(book_.plan_operation({kind, "pay_1.1", reference, amount, final}, made));
    return commit(made);
  }

  fact capture(std::string_view reference, std::int64_t amount, bool final = false) {
    return operate(fact_kind::capture, reference, amount, final);
  }
  fact refund(std::string_view reference, std::int64_t amount) {
    return operate(fact_kind::refund, reference, amount);
  }

  const hold& held() const { return *book_.find_hold("pay_1.1"); }
  gateway_book& book() { return book_; }

private:
  fact commit(const plan& made) {
    auto entry = made.entry;
    entry.seq = next_seq_++;
    const auto applied = book_.apply(entry);
    BOOST_REQUIRE(applied);
    entry.gateway_reference = {}; // its text went with the plan
    return entry;
  }

  gateway_book book_{"alpha"};
  std::int64_t next_seq_ = 1;
};

void check(const fact& entry, fact_status status, std::string_view code, bool effective) {
  BOOST_TEST(to_string(entry.status) == to_string(status));
  BOOST_TEST(entry.code == code);
  BOOST_TEST(entry.effective == effective);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_gateway_book)

BOOST_AUTO_TEST_CASE(authorizes_once_for_a_reference) {
  driven_book book;
  check(book.authorize("pay_1.1", 1'000), fact_status::approved, "", true);
  const auto again = book.authorize("pay_1.1", 1'000);
  check(again, fact_status::approved, "", false);
  BOOST_TEST(again.repeat);
  BOOST_TEST(book.book().recent().size() == 1u);
  BOOST_TEST(book.book().gateway_reference(book.held()) == "alpha_000000000001");
}

BOOST_AUTO_TEST_CASE(keeps_to_its_first_verdict) {
  driven_book book;
  check(book.authorize("pay_1.1", 1'000, reason::lost_card), fact_status::declined, "lost_card",
        false);
  check(book.authorize("pay_1.1", 1'000, reason::none), fact_status::declined, "lost_card",
        false);
}

BOOST_AUTO_TEST_CASE(refuses_a_reference_for_another_amount_or_currency) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  plan made;
  const authorization_request amount{"pay_1.1", 1'001, "EUR", reason::none, ""};
  const authorization_request currency{"pay_1.1", 1'000, "USD", reason::none, ""};
  BOOST_TEST((book.book().plan_authorization(amount, 9, made).error().code == errc::conflict));
  BOOST_TEST(
    (book.book().plan_authorization(currency, 9, made).error().code == errc::conflict));
}

BOOST_AUTO_TEST_CASE(reverses_once) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  check(book.reverse("pay_1.1"), fact_status::reversed, "", true);
  check(book.reverse("pay_1.1"), fact_status::reversed, "", false);
  BOOST_TEST(to_string(book.held().status) == "reversed");
  check(book.authorize("pay_1.1", 1'000), fact_status::declined, "reversed", false);
}

BOOST_AUTO_TEST_CASE(a_reversal_of_the_unknown_declines_the_late_original) {
  driven_book book;
  check(book.reverse("pay_1.1"), fact_status::reversed, "", false);
  check(book.reverse("pay_1.1"), fact_status::reversed, "", false);
  const auto late = book.authorize("pay_1.1", 1'000);
  check(late, fact_status::declined, "reversed", false);
  BOOST_TEST(!late.repeat);
  BOOST_TEST(book.held().is_tombstone());
  BOOST_TEST(book.book().recent().empty());
}

BOOST_AUTO_TEST_CASE(reverses_nothing_that_was_captured) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  book.capture("pay_1.c1", 1);
  check(book.reverse("pay_1.1"), fact_status::refused, "already_captured", false);
  BOOST_TEST(to_string(book.held().status) == "approved");
}

BOOST_AUTO_TEST_CASE(captures_in_parts_up_to_the_amount) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  check(book.capture("pay_1.c1", 600), fact_status::succeeded, "", true);
  check(book.capture("pay_1.c1", 600), fact_status::succeeded, "", false);
  check(book.capture("pay_1.c2", 401), fact_status::refused, "amount_too_large", false);
  check(book.capture("pay_1.c3", 400), fact_status::succeeded, "", true);
  BOOST_TEST(book.held().captured_minor == 1'000);
  // Refused for good, although the same operation would be refused for another reason now.
  const auto again = book.capture("pay_1.c2", 401);
  check(again, fact_status::refused, "amount_too_large", false);
  BOOST_TEST(again.repeat);
}

BOOST_AUTO_TEST_CASE(a_final_capture_closes) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  book.capture("pay_1.c1", 100, true);
  check(book.capture("pay_1.c2", 100), fact_status::refused, "closed", false);
}

BOOST_AUTO_TEST_CASE(refunds_up_to_what_was_captured) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  check(book.refund("pay_1.r1", 1), fact_status::refused, "amount_too_large", false);
  book.capture("pay_1.c1", 500);
  check(book.refund("pay_1.r2", 300), fact_status::succeeded, "", true);
  check(book.refund("pay_1.r2", 300), fact_status::succeeded, "", false);
  check(book.refund("pay_1.r3", 201), fact_status::refused, "amount_too_large", false);
  check(book.refund("pay_1.r4", 200), fact_status::succeeded, "", true);
}

BOOST_AUTO_TEST_CASE(refuses_an_operation_reference_for_something_else) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  book.capture("pay_1.c1", 500);
  plan made;
  const operation_request amount{fact_kind::capture, "pay_1.1", "pay_1.c1", 501, false};
  const operation_request kind{fact_kind::refund, "pay_1.1", "pay_1.c1", 500, false};
  BOOST_TEST((book.book().plan_operation(amount, made).error().code == errc::conflict));
  BOOST_TEST((book.book().plan_operation(kind, made).error().code == errc::conflict));
}

BOOST_AUTO_TEST_CASE(operates_on_approved_authorizations_only) {
  driven_book book;
  check(book.capture("pay_1.c1", 1), fact_status::refused, "unknown_reference", false);
  book.authorize("pay_1.1", 1'000);
  // The refusal for want of an authorization does not outlive the want.
  check(book.capture("pay_1.c1", 1), fact_status::succeeded, "", true);

  driven_book declined;
  declined.authorize("pay_1.1", 1'000, reason::generic_decline);
  check(declined.capture("pay_1.c1", 1), fact_status::refused, "not_authorized", false);
}

BOOST_AUTO_TEST_CASE(ignores_what_was_dropped) {
  gateway_book book{"alpha"};
  fact entry;
  entry.seq = 1;
  entry.status = fact_status::dropped;
  entry.gateway = "alpha";
  entry.reference = "pay_1.1";
  entry.currency = "EUR";
  BOOST_TEST(book.apply(entry).has_value());
  BOOST_TEST(book.find_hold("pay_1.1") == nullptr);
}

BOOST_AUTO_TEST_CASE(notices_facts_that_contradict_it) {
  driven_book book;
  book.authorize("pay_1.1", 1'000);
  fact twice;
  twice.reference = "pay_1.1";
  twice.currency = "EUR";
  twice.effective = true;
  BOOST_TEST((book.book().apply(twice).error().code == errc::corrupt));
  fact orphan;
  orphan.kind = fact_kind::capture;
  orphan.hold = "pay_9.1";
  orphan.reference = "pay_9.c1";
  BOOST_TEST((book.book().apply(orphan).error().code == errc::corrupt));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::sandbox
