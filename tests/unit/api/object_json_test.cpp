#include "runtime/api/object_json.hpp"

#include "messages/codec.hpp"
#include "runtime/api/event_json.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

const uuid some_id = parse_hex("0193572f1c00800080030000000000aa").value();

storage::event_view event_of(const payment_event& event) {
  storage::event_view view;
  view.shard = shard_number{3};
  view.seq = sequence_number{17};
  view.type = type_of(event);
  view.subject = some_id;
  view.at = test_now;
  view.payload = encode(event);
  return view;
}

storage::entry_view entry_of(posting_kind kind, account_kind where, std::int64_t amount) {
  storage::entry_view entry;
  entry.shard = shard_number{3};
  entry.seq = sequence_number{17};
  entry.leg = 1;
  entry.kind = kind;
  entry.subject = some_id;
  entry.ordinal = 1;
  entry.where = {where, "x", currency::parse("EUR").value()};
  entry.amount = minor_units{amount};
  entry.at = test_now;
  return entry;
}

bool has(const std::string& json, std::string_view part) {
  return json.find(part) != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_object_json)

BOOST_AUTO_TEST_CASE(names_an_operations_event_by_its_kind) {
  operation_succeeded event;
  event.kind = operation_kind::refund;
  event.ordinal = 2;
  event.gateway_reference = "re_2";
  BOOST_TEST(render_event(event_of(event))
             == R"({"id":"evt_00030000000000000011","object":"event",)"
                R"("type":"refund.succeeded","shard":3,"seq":17,)"
                R"("subject":"pay_0193572f1c00800080030000000000aa",)"
                R"("at":"2026-11-23T01:27:00.000000Z",)"
                R"("data":{"kind":"refund","ordinal":2,"gateway_reference":"re_2"}})");
}

BOOST_AUTO_TEST_CASE(shows_every_payment_event) {
  payment_created good;
  good.unit = currency::parse("EUR").value();
  const payment_event all[]{good,
                            attempt_started{},
                            authorization_approved{},
                            authorization_declined{},
                            attempt_not_sent{},
                            authorization_unknown{},
                            inquiry_scheduled{},
                            reversal_requested{},
                            reversal_scheduled{},
                            authorization_reversed{},
                            payment_failed{},
                            authorization_expired{},
                            operation_requested{},
                            operation_rescheduled{},
                            operation_succeeded{},
                            operation_refused{},
                            attempt_declined{},
                            resolution_escalated{},
                            webhook_received{},
                            dispute_opened{},
                            dispute_evidence_noted{},
                            dispute_won{},
                            dispute_lost{}};
  static_assert(std::size(all) == std::variant_size_v<payment_event>);
  for (const auto& event : all) {
    const auto shown = boost::json::parse(render_event(event_of(event)));
    BOOST_TEST(shown.at("data").is_object(), "type: " << to_string(type_of(event)));
  }
}

BOOST_AUTO_TEST_CASE(shows_settlements_events) {
  file_stored event;
  event.file = file_id{some_id};
  event.acquirer = "x";
  event.sha256 = std::string(64, 'a');
  event.items = 4;
  storage::event_view view;
  view.type = event_type::file_stored;
  view.subject = some_id;
  view.payload = encode(settlement_event{event});
  const auto shown = render_event(view);
  BOOST_TEST(has(shown, R"("type":"file.stored")"));
  BOOST_TEST(has(shown, R"("subject":"fil_0193572f1c00800080030000000000aa")"));
  BOOST_TEST(has(shown, R"("items":4)"));
}

BOOST_AUTO_TEST_CASE(says_what_an_entry_is_about) {
  const auto pending = account_kind::merchant_pending;
  const auto receivable = account_kind::acquirer_receivable;
  BOOST_TEST(
    has(render_entry(entry_of(posting_kind::capture, pending, -5)), R"("payment":"pay_)"));
  BOOST_TEST(
    has(render_entry(entry_of(posting_kind::settlement, pending, 5)), R"("batch":"bat_)"));
  BOOST_TEST(has(render_entry(entry_of(posting_kind::unexplained, account_kind::suspense, 5)),
                 R"("file":"fil_)"));
  BOOST_TEST(
    has(render_entry(entry_of(posting_kind::rejection, pending, 5)), R"("item":"cap_)"));
  BOOST_TEST(
    has(render_entry(entry_of(posting_kind::rejection, receivable, -5)), R"("item":"cap_)"));
  BOOST_TEST(
    has(render_entry(entry_of(posting_kind::rejection, pending, -5)), R"("item":"ref_)"));
  BOOST_TEST(
    has(render_entry(entry_of(posting_kind::rejection, receivable, 5)), R"("item":"ref_)"));
}

BOOST_AUTO_TEST_CASE(shows_every_step_of_a_payment) {
  storage::timeline_view timeline;
  auto& subject = timeline.subject.row;
  subject.id = payment_id{some_id};
  subject.idempotency_key = "key-1";
  subject.route = {"alpha", "beta"};
  subject.acquirer = "x";
  auto& made = subject.attempts.emplace_back();
  made.number = 1;
  made.gateway = "alpha";
  made.gateway_reference = "auth_1";
  auto& taken = subject.operations.emplace_back();
  taken.ordinal = 1;
  taken.id = some_id;
  timeline.events.push_back(event_of(attempt_started{1, "alpha", {}, "first of the route"}));
  timeline.entries.push_back(
    entry_of(posting_kind::capture, account_kind::merchant_pending, -5));
  storage::batch_item_view item;
  item.operation = some_id;
  item.report_line = 12;
  item.file = file_id{some_id};
  timeline.items.push_back(item);
  timeline.exceptions.emplace_back().kind = "amount_mismatch";

  const auto shown = boost::json::parse(render_timeline(timeline));
  BOOST_TEST(shown.at("request").at("idempotency_key").as_string() == "key-1");
  BOOST_TEST(shown.at("events").at(0).at("data").at("gateway").as_string() == "alpha");
  BOOST_TEST(shown.at("attempts").at(0).at("reference").as_string()
             == subject.id.text() + ".1");
  BOOST_TEST(shown.at("operations").at(0).at("reference").as_string()
             == subject.id.text() + ".c1");
  BOOST_TEST(shown.at("ledger_entries").at(0).at("amount").as_int64() == -5);
  BOOST_TEST(shown.at("settlement").at(0).at("report_line").as_int64() == 12);
  BOOST_TEST(shown.at("exceptions").at(0).at("kind").as_string() == "amount_mismatch");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
