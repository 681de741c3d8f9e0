// The journal's format: every event comes back as it went, and no field number ever moves.
#include "messages/codec.hpp"

#include "messages/proto/journal.pb.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

using namespace holdfast;

namespace {

timestamp at(int seconds) {
  return timestamp{std::chrono::seconds{1'700'000'000 + seconds}};
}

payment_created sample_creation() {
  payment_created event;
  event.id = payment_id::make(at(1), shard_number{3}, 11);
  event.merchant = merchant_id::make(at(0), shard_number{3}, 12);
  event.unit = *currency::parse("JPY");
  event.amount = minor_units{123'456};
  event.mode = capture_mode::automatic;
  event.card = {"amex", "0005", 11, 2031};
  event.token = "tok";
  event.reference = "order 1";
  event.description = "Kaffee für zwei";
  event.region = "eu";
  event.metadata = {{"b", "2"}, {"a", "1"}};
  event.idempotency_key = "key";
  event.route = {"alpha", "beta"};
  event.acquirer = "first";
  event.route_reasons = {"route 1", "route 1"};
  return event;
}

dispute sample_dispute() {
  dispute one;
  one.id = dispute_id::make(at(11), shard_number{3}, 19);
  one.ordinal = 1;
  one.status = dispute_status::lost;
  one.gateway = "alpha";
  one.gateway_dispute = "cb-1";
  one.amount = minor_units{9};
  one.reserved = minor_units{8};
  one.fee = minor_units{7};
  one.reason = "fraud";
  one.evidence = {{"Delivered.", at(12)}};
  one.opened_at = at(11);
  one.closed_at = at(13);
  return one;
}

std::vector<payment_event> sample_events() {
  return {
    sample_creation(),
    attempt_started{1, "alpha", at(2), "first of the route"},
    authorization_approved{1, "gw-1", at(3)},
    authorization_declined{1, "lost_card", "Lost."},
    attempt_not_sent{2, "breaker open"},
    authorization_unknown{2, "timeout", at(4), true},
    inquiry_scheduled{2, "pending", at(5), true},
    reversal_requested{2, at(6), decline_info{"failed", "Failed."}},
    reversal_scheduled{2, "timeout", at(7), true},
    authorization_reversed{2},
    payment_failed{"no_gateway", "None took it."},
    authorization_expired{},
    operation_requested{operation_kind::capture, 1, make_uuid(at(8), shard_number{3}, 13),
                        minor_units{500}, true, "reason", "key-2", at(9)},
    operation_rescheduled{operation_kind::refund, 2, "timeout", at(10), true},
    operation_succeeded{operation_kind::void_hold, 1, "gw-2"},
    operation_refused{operation_kind::refund, 3, "too_late", "Too late."},
    attempt_declined{1, "processing_error", "Again, please."},
    resolution_escalated{0, operation_kind::void_hold, 1, at(11), "timeout"},
    webhook_received{"alpha", "evt-1", webhook_type::dispute_lost, webhook_finding::unmatched,
                     "pay_x.1", "gw-1", "EUR", minor_units{7}, at(12)},
    dispute_opened{1, sample_dispute().id, "alpha", "cb-1", minor_units{9}, minor_units{8},
                   minor_units{7}, "fraud"},
    dispute_evidence_noted{1, sample_dispute().id, "Delivered.", "key-4"},
    dispute_won{1, sample_dispute().id},
    dispute_lost{1, sample_dispute().id},
  };
}

std::vector<settlement_event> sample_settlement() {
  const auto shard = shard_number{3};
  const auto batch = batch_id::make(at(1), shard, 1);
  return {
    batch_closed{batch, merchant_id::make(at(0), shard, 2), "first", *currency::parse("EUR"), 7,
                 minor_units{-70}, "hash"},
    file_stored{file_id::make(at(2), shard, 3), "first", 2, 9, "hash"},
    file_answered{file_id::make(at(2), shard, 3), 5, 3, 1},
    batch_reconciled{batch, minor_units{100}, minor_units{1}, minor_units{2}, minor_units{97},
                     6, 1},
    file_refused{file_id::make(at(2), shard, 3), "first", "no"},
    exception_opened{exception_id::make(at(3), shard, 4), "acquirer_silent"},
    exception_resolved{exception_id::make(at(3), shard, 4), "acquirer_silent", "retry", "why",
                       "ada"},
    batch_resubmitted{batch, file_id::make(at(2), shard, 3)},
  };
}

operation sample_operation() {
  operation asked;
  asked.kind = operation_kind::refund;
  asked.status = operation_status::refused;
  asked.ordinal = 2;
  asked.id = make_uuid(at(5), shard_number{3}, 17);
  asked.amount = minor_units{5};
  asked.final = true;
  asked.tries = 4;
  asked.reason = "broken";
  asked.idempotency_key = "key-3";
  asked.gateway_reference = "gw-3";
  asked.refusal_code = "too_late";
  asked.created_at = at(6);
  asked.next_try_at = at(7);
  asked.escalated = true;
  return asked;
}

/// "number:name" of every field, in the order of the file.
std::string fields_of(const google::protobuf::Descriptor& message) {
  std::string text;
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& field = *message.field(i);
    if (!text.empty())
      text += ' ';
    text += std::to_string(field.number()) + ':' + field.name();
  }
  return text;
}

std::map<std::string, std::string> settlement_fields() {
  return {
    {"BatchClosed", "1:batch 2:merchant 3:acquirer 4:currency 5:items 6:gross 7:items_sha256"},
    {"FileStored", "1:file 2:acquirer 3:batches 4:items 5:sha256"},
    {"FileAnswered", "1:file 2:accepted 3:rejected 4:deferred"},
    {"BatchReconciled",
     "1:batch 2:gross 3:acquirer_fees 4:platform_fees 5:net 6:settled "
     "7:exceptions"},
    {"FileRefused", "1:file 2:acquirer 3:reason"},
    {"ExceptionOpened", "1:exception 2:kind"},
    {"ExceptionResolved", "1:exception 2:kind 3:resolution 4:note 5:resolved_by"},
    {"BatchResubmitted", "1:batch 2:refused_file"},
  };
}

} // namespace

BOOST_AUTO_TEST_SUITE(messages_codec)

BOOST_AUTO_TEST_CASE(every_payment_event_comes_back) {
  const auto events = sample_events();
  BOOST_REQUIRE_EQUAL(events.size(), std::variant_size_v<payment_event>);
  for (std::size_t i = 0; i < events.size(); ++i) {
    BOOST_REQUIRE_EQUAL(events[i].index(), i);
    const auto bytes = encode(events[i]);
    const auto back = decode_payment_event(type_of(events[i]), bytes);
    BOOST_REQUIRE(back);
    BOOST_TEST(back->index() == i);
    // Equal bytes mean equal values: the encoding leaves nothing out that decoding reads.
    BOOST_TEST(encode(*back) == bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_creation_comes_back_field_by_field) {
  const auto in = sample_creation();
  const auto back =
    decode_payment_event(event_type::payment_created, encode(payment_event{in}));
  BOOST_REQUIRE(back);
  const auto& out = std::get<payment_created>(*back);
  BOOST_TEST((out.id == in.id && out.merchant == in.merchant && out.unit == in.unit));
  BOOST_TEST((out.amount == in.amount && out.mode == in.mode));
  BOOST_TEST((out.card.brand == "amex" && out.card.last4 == "0005"));
  BOOST_TEST((out.card.exp_month == 11 && out.card.exp_year == 2031));
  BOOST_TEST((out.token == in.token && out.reference == in.reference));
  BOOST_TEST((out.description == in.description && out.region == in.region));
  BOOST_TEST((out.metadata == in.metadata && out.idempotency_key == in.idempotency_key));
  BOOST_TEST((out.route == in.route && out.acquirer == in.acquirer));
}

BOOST_AUTO_TEST_CASE(every_settlement_event_comes_back) {
  const auto events = sample_settlement();
  BOOST_REQUIRE_EQUAL(events.size(), std::variant_size_v<settlement_event>);
  for (std::size_t i = 0; i < events.size(); ++i) {
    BOOST_REQUIRE_EQUAL(events[i].index(), i);
    const auto bytes = encode(events[i]);
    const auto back = decode_settlement_event(type_of(events[i]), bytes);
    BOOST_REQUIRE(back);
    BOOST_TEST(encode(*back) == bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_payments_detail_comes_back) {
  payment in;
  in.id = payment_id::make(at(1), shard_number{3}, 11);
  in.card = {"visa", "4242", 1, 2030};
  in.token = "tok";
  in.description = "d";
  in.region = "r";
  in.metadata = {{"k", "v"}};
  in.idempotency_key = "key";
  in.route = {"alpha"};
  in.route_reasons = {"route 1"};
  in.attempts = {{1, "alpha", attempt_status::reversing, at(2), "gw", 3, at(9),
                  "first of the route", "timeout", decline_info{"failed", "Failed."}, true}};
  in.operations = {sample_operation()};
  in.disputes = {sample_dispute()};
  in.decline = decline_info{"code", "message"};
  in.expires_at = timestamp{std::chrono::microseconds{1'800'000'000'123'456}};
  payment out;
  const auto bytes = encode_detail(in);
  BOOST_REQUIRE(decode_detail(bytes, out));
  BOOST_TEST((out.id == in.id));
  BOOST_REQUIRE(out.attempts.size() == 1U);
  BOOST_TEST((out.attempts[0].status == attempt_status::reversing));
  BOOST_TEST((out.attempts[0].started_at == at(2)));
  BOOST_TEST((out.attempts[0].next_try_at == at(9)));
  BOOST_TEST(out.attempts[0].reason == "first of the route");
  BOOST_TEST(out.attempts[0].last_heard == "timeout");
  BOOST_TEST((out.attempts[0].decline && out.attempts[0].decline->message == "Failed."));
  BOOST_TEST(out.attempts[0].escalated);
  BOOST_TEST((out.route_reasons == in.route_reasons));
  BOOST_REQUIRE(out.operations.size() == 1U);
  BOOST_TEST(out.operations[0].refusal_code == "too_late");
  BOOST_TEST((out.operations[0].created_at == at(6)));
  BOOST_TEST((out.operations[0].next_try_at == at(7)));
  BOOST_TEST(out.operations[0].escalated);
  BOOST_REQUIRE(out.disputes.size() == 1U);
  BOOST_TEST((out.disputes[0].status == dispute_status::lost));
  BOOST_TEST((out.disputes[0].reserved == minor_units{8}));
  BOOST_REQUIRE(out.disputes[0].evidence.size() == 1U);
  BOOST_TEST((out.disputes[0].evidence[0].at == at(12)));
  BOOST_TEST((out.disputes[0].closed_at == at(13)));
  BOOST_TEST((out.decline && out.decline->message == "message"));
  BOOST_TEST((out.expires_at == in.expires_at));
  BOOST_TEST(encode_detail(out) == bytes);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_is_corrupt) {
  const auto is_corrupt = [](const auto& decoded) {
    return !decoded && decoded.error().code == errc::corrupt;
  };
  BOOST_TEST(is_corrupt(decode_payment_event(event_type::payment_created, "\xff\xff\xff")));
  BOOST_TEST(is_corrupt(decode_payment_event(event_type::payment_created, "")));
  BOOST_TEST(is_corrupt(decode_payment_event(event_type::batch_closed, "")));
  BOOST_TEST(is_corrupt(decode_settlement_event(event_type::payment_created, "")));
  BOOST_TEST(is_corrupt(decode_payment_event(static_cast<event_type>(999), "")));
  auto unknown_kind = operation_succeeded{static_cast<operation_kind>(77), 1, ""};
  BOOST_TEST(is_corrupt(decode_payment_event(event_type::operation_succeeded,
                                             encode(payment_event{unknown_kind}))));
  payment subject;
  BOOST_TEST(is_corrupt(decode_detail("", subject)));
}

BOOST_AUTO_TEST_CASE(the_numbers_of_settlements_events_are_pinned) {
  int number = 32; // batch_closed; the others follow it in the variant's order
  for (const auto& event : sample_settlement())
    BOOST_TEST(static_cast<int>(type_of(event)) == number++);
}

BOOST_AUTO_TEST_CASE(the_numbers_of_a_payments_events_are_pinned) {
  // As for the fields below: journals hold these numbers.
  const std::map<std::string_view, int> pinned{
    {"payment.created", 1},         {"attempt.started", 2},
    {"authorization.approved", 3},  {"authorization.declined", 4},
    {"attempt.not_sent", 5},        {"authorization.unknown", 6},
    {"inquiry.scheduled", 7},       {"reversal.requested", 8},
    {"reversal.scheduled", 9},      {"authorization.reversed", 10},
    {"payment.failed", 11},         {"authorization.expired", 12},
    {"operation.requested", 13},    {"operation.rescheduled", 14},
    {"operation.succeeded", 15},    {"operation.refused", 16},
    {"attempt.declined", 17},       {"resolution.escalated", 18},
    {"webhook.received", 19},       {"dispute.opened", 20},
    {"dispute.evidence_noted", 21}, {"dispute.won", 22},
    {"dispute.lost", 23},
  };
  std::size_t found = 0;
  for (const auto& event : sample_events()) {
    const auto type = type_of(event);
    if (const auto one = pinned.find(to_string(type)); one != pinned.end()) {
      BOOST_TEST(static_cast<int>(type) == one->second, one->first);
      ++found;
    }
  }
  BOOST_TEST(found == pinned.size());
}

BOOST_AUTO_TEST_CASE(field_numbers_are_pinned) {
  // A failure here means that journals which exist could no longer be read. Adding a field at
  // the end is fine; changing or reusing a number never is.
  std::map<std::string, std::string> pinned{
    {"Card", "1:brand 2:last4 3:exp_month 4:exp_year"},
    {"Pair", "1:name 2:value"},
    {"PaymentCreated",
     "1:id 2:merchant 3:currency 4:amount 5:mode 6:card 7:token 8:reference 9:description "
     "10:region 11:metadata 12:idempotency_key 13:route 14:acquirer 15:route_reasons"},
    {"AttemptStarted", "1:number 2:gateway 3:next_try_at_us 4:reason"},
    {"AuthorizationApproved", "1:attempt 2:gateway_reference 3:expires_at_us"},
    {"AuthorizationDeclined", "1:attempt 2:code 3:message"},
    {"AttemptNotSent", "1:attempt 2:reason"},
    {"AuthorizationUnknown", "1:attempt 2:reason 3:next_inquiry_at_us 4:sent"},
    {"InquiryScheduled", "1:attempt 2:reason 3:next_inquiry_at_us 4:sent"},
    {"ReversalRequested", "1:attempt 2:next_try_at_us 3:decline"},
    {"ReversalScheduled", "1:attempt 2:reason 3:next_try_at_us 4:sent"},
    {"AuthorizationReversed", "1:attempt"},
    {"PaymentFailed", "1:code 2:message"},
    {"AuthorizationExpired", ""},
    {"OperationRequested",
     "1:kind 2:ordinal 3:id 4:amount 5:final 6:reason 7:idempotency_key "
     "8:next_try_at_us"},
    {"OperationRescheduled", "1:kind 2:ordinal 3:reason 4:next_try_at_us 5:sent"},
    {"OperationSucceeded", "1:kind 2:ordinal 3:gateway_reference"},
    {"OperationRefused", "1:kind 2:ordinal 3:code 4:message"},
    {"AttemptDeclined", "1:attempt 2:code 3:message"},
    {"ResolutionEscalated", "1:attempt 2:kind 3:ordinal 4:open_since_us 5:reason"},
    {"WebhookReceived",
     "1:gateway 2:event_id 3:type 4:finding 5:reference 6:gateway_reference 7:currency "
     "8:amount 9:sent_at_us"},
    {"DisputeOpened",
     "1:ordinal 2:id 3:gateway 4:gateway_dispute 5:amount 6:reserved 7:fee 8:reason"},
    {"DisputeEvidenceNoted", "1:ordinal 2:note 3:idempotency_key 4:id"},
    {"DisputeWon", "1:ordinal 2:id"},
    {"DisputeLost", "1:ordinal 2:id"},
    {"DisputeNote", "1:text 2:at_us"},
    {"Dispute",
     "1:id 2:ordinal 3:status 4:gateway 5:gateway_dispute 6:amount 7:reserved 8:fee 9:reason "
     "10:evidence 11:opened_at_us 12:closed_at_us"},
    {"Attempt",
     "1:number 2:gateway 3:status 4:started_at_us 5:gateway_reference 6:tries "
     "7:next_try_at_us 8:reason 9:last_heard 10:decline 11:escalated"},
    {"Operation",
     "1:kind 2:status 3:ordinal 4:id 5:amount 6:final 7:tries 8:reason "
     "9:idempotency_key 10:gateway_reference 11:refusal_code 12:created_at_us "
     "13:next_try_at_us 14:escalated"},
    {"Decline", "1:code 2:message"},
    {"PaymentDetail",
     "1:id 2:card 3:token 4:description 5:region 6:metadata 7:idempotency_key "
     "8:route 9:attempts 10:operations 11:decline 12:expires_at_us 13:route_reasons "
     "14:disputes"},
  };
  pinned.merge(settlement_fields());
  const auto& file = *journal::v1::PaymentCreated::descriptor()->file();
  BOOST_TEST(static_cast<std::size_t>(file.message_type_count()) == pinned.size());
  for (int i = 0; i < file.message_type_count(); ++i) {
    const auto& message = *file.message_type(i);
    const auto found = pinned.find(message.name());
    BOOST_REQUIRE_MESSAGE(found != pinned.end(), message.name() + " is not pinned");
    BOOST_TEST(fields_of(message) == found->second, message.name() << " has moved");
  }
}

BOOST_AUTO_TEST_SUITE_END()
