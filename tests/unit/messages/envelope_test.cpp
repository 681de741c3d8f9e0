// What crosses between nodes: everything comes back as it went, whatever is no envelope is
// refused, and no number ever moves.
#include "messages/envelope.hpp"

#include "messages/limits.hpp"
#include "messages/proto/cluster.pb.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::links;

namespace {

timestamp at(int seconds) {
  return timestamp{std::chrono::seconds{1'700'000'000 + seconds}};
}

payment_id some_payment() {
  return payment_id::make(at(1), shard_number{3}, 11);
}

introduction sample_introduction() {
  introduction who;
  who.oldest_protocol = 1;
  who.newest_protocol = 4;
  who.cluster = "prod";
  who.node = "node-1";
  who.incarnation = "i-1";
  who.started_at = at(0);
  who.program = "1.2.3";
  who.schema = 7;
  who.shards = 32;
  who.advertise = "10.0.0.1:8090";
  who.nonce = std::string(limits::link_nonce_bytes, 'n');
  who.io_node = "process";
  who.cluster_id.bytes.fill(0xab);
  return who;
}

merchant_command sample_command(merchant_action action) {
  merchant_command command;
  command.request_id = "req-1";
  command.traceparent = "00-1-2-01";
  command.merchant = merchant_id::make(at(0), shard_number{3}, 12);
  command.stripes = 4;
  command.idempotency_key = "key";
  command.request.fill(7);
  command.wait = milliseconds{2'500};
  command.respond_async = true;
  command.action = std::move(action);
  return command;
}

create_payment sample_creation() {
  create_payment create;
  create.total = {minor_units{1'999}, *currency::parse("EUR")};
  create.mode = capture_mode::automatic;
  create.card = {secret{"4242424242424242"}, 12, 2031, secret{"123"}};
  create.token = "tok";
  create.summary = {"visa", "4242", 12, 2031};
  create.reference = "order 1";
  create.description = "Kaffee für zwei";
  create.region = "eu";
  create.metadata = {{"b", "2"}, {"a", "1"}};
  create.path = {{"alpha", "beta"}, "first", {"route 1", "route 1"}};
  return create;
}

std::vector<peer_request> sample_commands() {
  const auto shard = shard_number{3};
  auto refused = sample_command(void_payment{some_payment()});
  refused.refusal_if_new = api_reply{409, "application/json", "{}", "/v1", 3, true};
  return {
    command_for_shard{shard, sample_command(sample_creation())},
    command_for_shard{shard,
                      sample_command(capture_payment{some_payment(), minor_units{5}, true})},
    command_for_shard{shard, sample_command(capture_payment{some_payment(), {}, false})},
    command_for_shard{shard, refused},
    command_for_shard{shard,
                      sample_command(refund_payment{some_payment(), minor_units{0}, "broken"})},
    command_for_shard{
      shard, sample_command(
               note_evidence{some_payment(), dispute_id::make(at(2), shard, 3), "Delivered."})},
  };
}

webhook_notice sample_notice() {
  webhook_notice notice;
  notice.gateway = "alpha";
  notice.event_id = "evt-1";
  notice.type = webhook_type::dispute_opened;
  notice.sent_at = at(5);
  notice.about = {some_payment(), 2, operation_kind::refund, 3};
  notice.reference = "pay_x.r3";
  notice.gateway_reference = "gw-1";
  notice.claimed = money{minor_units{7}, *currency::parse("JPY")};
  notice.dispute = webhook_dispute{"cb-1", "fraud", minor_units{9}};
  return notice;
}

new_exception sample_exception() {
  const auto shard = shard_number{3};
  return {"orphan",
          merchant_id::make(at(0), shard, 1),
          some_payment(),
          make_uuid(at(1), shard, 2),
          batch_id::make(at(1), shard, 3),
          *currency::parse("EUR"),
          minor_units{-5},
          minor_units{6},
          "a,b",
          "why",
          "orphan:x",
          "alpha",
          "ref",
          *currency::parse("USD"),
          minor_units{8}};
}

desk_order sample_order() {
  const auto shard = shard_number{3};
  return {order_verb::replay,
          exception_id::make(at(1), shard, 1),
          batch_id::make(at(1), shard, 2),
          dead_letter_id::make(at(1), shard, 3),
          "retry",
          "note",
          "ada",
          "bob",
          minor_units{4}};
}

std::vector<peer_request> sample_requests() {
  auto all = sample_commands();
  all.push_back(notice_for_shard{sample_notice(), "req-2"});
  all.push_back(notice_for_shard{{}, ""});
  all.push_back(order_for_shard{{3}, sample_order()});
  all.push_back(order_for_shard{{0}, {}});
  all.push_back(exceptions_for_shard{{3}, {sample_exception(), new_exception{}}});
  all.push_back(cutoff_for_node{merchant_id::make(at(0), {3}, 1), at(9), true});
  all.push_back(cutoff_for_node{{}, at(9), false});
  all.push_back(breaker_for_node{"alpha", true, milliseconds{60'000}, "ada", "why"});
  all.push_back(breaker_for_node{"alpha", false, {}, "", ""});
  all.push_back(shards_released{{{0}, {9'999}}});
  return all;
}

std::vector<peer_answer> sample_answers() {
  return {
    api_reply{201, "application/json", std::string{"{\0}", 3}, "/v1/payments/1", 2, true},
    expected<exception_id>{exception_id::make(at(1), {3}, 4)},
    expected<exception_id>{make_error(errc::invalid_state, "It is resolved.")},
    cutoff_answer{true, {{0}, {9'999}}, 2, 3, 4, 5, 6, "detail"},
    not_owner{"node-2", {77}},
    accepted{},
  };
}

std::vector<envelope_body> sample_bodies() {
  std::vector<envelope_body> all{
    hello{sample_introduction()},
    challenge{sample_introduction(), "pem", std::string{"s\0g", 3}},
    proof{"pem", "sig"},
    welcome{~std::uint64_t{0}, 4'096},
    refusal{refusal_reason::shard_count, "shard count: 32 and 16"},
    ping{7, {{{0}, {1}}, {{9'999}, {1LL << 40}}}},
    pong{7, {}},
    goodbye{},
    goodbye{.last_taken = 0},
    goodbye{.last_taken = 1'234'567},
    rejection{make_error(errc::overloaded, "full")},
  };
  for (auto& request : sample_requests())
    all.emplace_back(std::move(request));
  for (auto& answer : sample_answers())
    all.emplace_back(std::move(answer));
  return all;
}

envelope enclosed(envelope_body body) {
  return {1, 0x0123'4567'89ab'cdef, 42, milliseconds{1'500}, std::move(body)};
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

bool is_refused(const std::string& bytes, errc code = errc::invalid_argument) {
  const auto got = decode_envelope(bytes);
  return !got && got.error().code == code;
}

std::string bytes_of(const cluster::v1::Envelope& message) {
  return message.SerializeAsString();
}

} // namespace

BOOST_AUTO_TEST_SUITE(messages_envelope)

BOOST_AUTO_TEST_CASE(every_body_comes_back) {
  for (const auto& body : sample_bodies()) {
    const auto bytes = encode(enclosed(body));
    const auto back = decode_envelope(bytes);
    BOOST_TEST_REQUIRE(back.has_value(), "body " << body.index());
    BOOST_TEST(back->protocol == 1U);
    BOOST_TEST(back->session == 0x0123'4567'89ab'cdefU);
    BOOST_TEST(back->request == 42U);
    BOOST_TEST(back->deadline.count() == 1'500);
    BOOST_TEST(back->body.index() == body.index());
    // Equal bytes mean equal values: the encoding leaves nothing out that decoding reads.
    BOOST_TEST(encode(*back) == bytes, "body " << body.index());
  }
}

BOOST_AUTO_TEST_CASE(samples_cover_every_kind) {
  std::vector<bool> bodies(std::variant_size_v<envelope_body>);
  for (const auto& body : sample_bodies())
    bodies[body.index()] = true;
  BOOST_TEST(std::ranges::count(bodies, false) == 0);
  std::vector<bool> requests(std::variant_size_v<peer_request>);
  for (const auto& request : sample_requests())
    requests[request.index()] = true;
  BOOST_TEST(std::ranges::count(requests, false) == 0);
  std::vector<bool> answers(std::variant_size_v<peer_answer>);
  for (const auto& answer : sample_answers())
    answers[answer.index()] = true;
  BOOST_TEST(std::ranges::count(answers, false) == 0);
}

BOOST_AUTO_TEST_CASE(a_goodbye_that_names_no_request_names_none_afterwards) {
  for (const auto named : {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{0}}) {
    const auto back = decode_envelope(encode(enclosed(goodbye{named})));
    BOOST_REQUIRE(back);
    BOOST_TEST((std::get<goodbye>(back->body).last_taken == named));
  }
}

BOOST_AUTO_TEST_CASE(a_creation_comes_back_field_by_field) {
  const auto in = sample_creation();
  const auto back =
    decode_envelope(encode(enclosed(peer_request{command_for_shard{{3}, sample_command(in)}})));
  BOOST_REQUIRE(back);
  const auto& sent = std::get<command_for_shard>(std::get<peer_request>(back->body));
  const auto& command = sent.command;
  BOOST_TEST(
    (sent.shard == shard_number{3} && command.merchant == sample_command(in).merchant));
  BOOST_TEST((command.request_id == "req-1" && command.traceparent == "00-1-2-01"));
  BOOST_TEST((command.stripes == 4 && command.idempotency_key == "key"));
  BOOST_TEST((command.request == sample_command(in).request && command.respond_async));
  BOOST_TEST(command.wait.count() == 2'500);
  const auto& out = std::get<create_payment>(command.action);
  BOOST_TEST((out.total == in.total && out.mode == in.mode && out.token == in.token));
  BOOST_TEST(
    (out.card.number.reveal() == "4242424242424242" && out.card.cvc.reveal() == "123"));
  BOOST_TEST((out.card.exp_month == 12 && out.card.exp_year == 2031));
  BOOST_TEST((out.summary.brand == "visa" && out.summary.last4 == "4242"));
  BOOST_TEST((out.reference == in.reference && out.description == in.description));
  BOOST_TEST((out.region == in.region && out.metadata == in.metadata));
  BOOST_TEST((out.path.gateways == in.path.gateways && out.path.acquirer == in.path.acquirer));
  BOOST_TEST((out.path.reasons == in.path.reasons));
}

BOOST_AUTO_TEST_CASE(nothing_is_taken_for_a_zero) {
  const auto back = decode_envelope(encode(enclosed(peer_request{
    command_for_shard{{3}, sample_command(refund_payment{some_payment(), {}, ""})}})));
  BOOST_REQUIRE(back);
  const auto& sent = std::get<command_for_shard>(std::get<peer_request>(back->body));
  BOOST_TEST(!std::get<refund_payment>(sent.command.action).amount.has_value());
  BOOST_TEST(!sent.command.refusal_if_new.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_envelope_is_refused) {
  BOOST_TEST(is_refused(""));
  BOOST_TEST(is_refused("\xff\xff\xff\xff"));
  BOOST_TEST(is_refused(std::string(100, '\0')));
  auto bytes = encode(enclosed(hello{sample_introduction()}));
  for (std::size_t size = 0; size + 1 < bytes.size(); ++size)
    BOOST_TEST(!decode_envelope(bytes.substr(0, size)).has_value(), size << " bytes");
  BOOST_TEST(is_refused(std::string(limits::link_frame_bytes_max + 1, 'x'), errc::overloaded));
}

BOOST_AUTO_TEST_CASE(text_need_not_be_utf8) {
  auto found = sample_exception();
  found.raw_line = "Caf\xe9;\xff";
  const auto back =
    decode_envelope(encode(enclosed(peer_request{exceptions_for_shard{{3}, {found}}})));
  BOOST_REQUIRE(back);
  const auto& sent = std::get<exceptions_for_shard>(std::get<peer_request>(back->body));
  BOOST_TEST(sent.exceptions.at(0).raw_line == found.raw_line);
}

BOOST_AUTO_TEST_CASE(damaged_envelopes_do_no_harm) {
  // Protobuf says what it thinks of damaged text on stderr.
  auto* const loud = google::protobuf::SetLogHandler(nullptr);
  // Each byte replaced by others: read or refused, never more than that.
  for (const auto& body : sample_bodies()) {
    const auto bytes = encode(enclosed(body));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      for (const char other : {'\0', '\x7f', '\xff', static_cast<char>(bytes[i] ^ 1)}) {
        auto damaged = bytes;
        damaged[i] = other;
        if (const auto read = decode_envelope(damaged); read && !read.has_error())
          BOOST_TEST(!encode(*read).empty());
      }
  }
  google::protobuf::SetLogHandler(loud);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_is_refused) {
  cluster::v1::Envelope no_shard;
  no_shard.mutable_shards_released()->add_shards(limits::shards_max);
  BOOST_TEST(is_refused(bytes_of(no_shard)));
  cluster::v1::Envelope late;
  late.set_deadline_ms(limits::link_deadline_ms_max + 1);
  late.mutable_accepted();
  BOOST_TEST(is_refused(bytes_of(late)));
  late.set_deadline_ms(-1);
  BOOST_TEST(is_refused(bytes_of(late)));
  cluster::v1::Envelope no_action;
  no_action.mutable_command();
  BOOST_TEST(is_refused(bytes_of(no_action)));
  cluster::v1::Envelope no_verb;
  no_verb.mutable_order()->set_verb(0);
  BOOST_TEST(is_refused(bytes_of(no_verb)));
  cluster::v1::Envelope no_status;
  no_status.mutable_reply()->set_status(99);
  BOOST_TEST(is_refused(bytes_of(no_status)));
  auto short_nonce = sample_introduction();
  short_nonce.nonce.pop_back();
  BOOST_TEST(is_refused(encode(enclosed(hello{short_nonce}))));
  auto long_name = sample_introduction();
  long_name.node = std::string(limits::link_text_bytes_max + 1, 'x');
  BOOST_TEST(is_refused(encode(enclosed(hello{long_name}))));
  cluster::v1::Envelope short_id;
  BOOST_REQUIRE(short_id.ParseFromString(encode(enclosed(hello{sample_introduction()}))));
  short_id.mutable_hello()->mutable_who()->mutable_cluster_id()->pop_back();
  BOOST_TEST(is_refused(bytes_of(short_id)));
  BOOST_TEST(is_refused(
    encode(enclosed(proof{std::string(limits::link_certificate_bytes_max + 1, 'x'), ""}))));
}

BOOST_AUTO_TEST_CASE(a_newer_peers_request_is_refused_by_its_number) {
  cluster::v1::Envelope newer;
  newer.set_session(5);
  newer.set_request(6);
  auto bytes = bytes_of(newer);
  bytes += std::string{"\x8a\x07\x00", 3}; // field 113, of a later version, with no bytes in it
  BOOST_TEST(is_refused(bytes));
  const auto head = decode_head(bytes);
  BOOST_REQUIRE(head);
  BOOST_TEST((head->session == 5U && head->request == 6U));
  BOOST_TEST(!decode_head("\xff\xff").has_value());
}

BOOST_AUTO_TEST_CASE(an_older_peer_that_gives_no_cluster_id_is_understood) {
  cluster::v1::Envelope older;
  BOOST_REQUIRE(older.ParseFromString(encode(enclosed(hello{sample_introduction()}))));
  older.mutable_hello()->mutable_who()->clear_cluster_id();
  const auto read = decode_envelope(bytes_of(older));
  BOOST_REQUIRE(read);
  BOOST_TEST(std::get<hello>(read->body).who.cluster_id.is_nil());
  BOOST_TEST(std::get<hello>(read->body).who.node == "node-1");
}

BOOST_AUTO_TEST_CASE(an_unknown_reason_keeps_its_words) {
  cluster::v1::Envelope newer;
  newer.mutable_refusal()->set_reason(200);
  newer.mutable_refusal()->set_detail("moon phase: full here, new there");
  const auto read = decode_envelope(bytes_of(newer));
  BOOST_REQUIRE(read);
  BOOST_TEST(std::get<refusal>(read->body).detail == "moon phase: full here, new there");
  newer.mutable_rejection()->set_code(200);
  const auto rejected = decode_envelope(bytes_of(newer));
  BOOST_REQUIRE(rejected);
  BOOST_TEST((std::get<rejection>(rejected->body).why.code == errc::unknown_outcome));
}

BOOST_AUTO_TEST_CASE(every_error_code_comes_back) {
  for (auto code = 0; code <= static_cast<int>(errc::internal); ++code) {
    const auto back =
      decode_envelope(encode(enclosed(rejection{make_error(static_cast<errc>(code), "why")})));
    BOOST_REQUIRE(back);
    BOOST_TEST(static_cast<int>(std::get<rejection>(back->body).why.code) == code);
  }
}

BOOST_AUTO_TEST_CASE(field_numbers_are_pinned) {
  // A failure here means that nodes of two versions could not be in one cluster any more.
  // Adding a field at the end is fine; changing or reusing a number never is.
  const std::map<std::string, std::string> pinned{
    {"Envelope",
     "1:protocol 2:session 3:request 4:shard 5:epoch 6:traceparent 7:deadline_ms 16:hello 17:challenge 18:proof 19:welcome 20:refusal 21:ping 22:pong 23:goodbye 24:rejection 32:command 33:notice 34:order 35:exceptions 36:cutoff 37:breaker 38:shards_released 64:reply 65:order_answer 66:cutoff_answer 67:not_owner 68:accepted"},
    {"Introduction",
     "1:protocol_min 2:protocol_max 3:cluster 4:node 5:incarnation 6:started_at_us 7:program 8:schema 9:shards 10:advertise 11:nonce 12:io_node 13:cluster_id"},
    {"Hello", "1:who"},
    {"Challenge", "1:who 2:certificate 3:signature"},
    {"Proof", "1:certificate 2:signature"},
    {"Welcome", "1:session 2:window"},
    {"Refusal", "1:reason 2:detail"},
    {"Mark", "1:shard 2:reached"},
    {"Ping", "1:number 2:marks"},
    {"Pong", "1:number 2:marks"},
    {"Goodbye", "1:last_taken"},
    {"Rejection", "1:code 2:detail"},
    {"CardData", "1:number 2:exp_month 3:exp_year 4:cvc"},
    {"Route", "1:gateways 2:acquirer 3:reasons"},
    {"CreatePayment",
     "1:amount 2:currency 3:mode 4:card 5:token 6:summary 7:reference 8:description 9:region 10:metadata 11:path"},
    {"CapturePayment", "1:payment 2:amount 3:final"},
    {"VoidPayment", "1:payment"},
    {"RefundPayment", "1:payment 2:amount 3:reason"},
    {"NoteEvidence", "1:payment 2:dispute 3:note"},
    {"MerchantCommand",
     "1:request_id 2:merchant 3:stripes 4:idempotency_key 5:fingerprint 6:wait_ms 7:respond_async 8:refusal_if_new 16:create 17:capture 18:void_hold 19:refund 20:evidence"},
    {"NoticeDispute", "1:id 2:reason 3:fee"},
    {"Notice",
     "1:gateway 2:event_id 3:type 4:sent_at_us 5:payment 6:attempt 7:operation 8:ordinal 9:reference 10:gateway_reference 11:claimed_amount 12:claimed_currency 13:dispute 14:request_id"},
    {"Order", "1:verb 2:exception 3:batch 4:letter 5:resolution 6:note 7:owner 8:by 9:amount"},
    {"NewException",
     "1:kind 2:merchant 3:payment 4:operation 5:batch 6:currency 7:expected_amount 8:reported_amount 9:raw_line 10:detail 11:fingerprint 12:source 13:external_ref 14:posted_currency 15:posted_amount"},
    {"Exceptions", "1:exceptions"},
    {"Cutoff", "1:merchant 2:captured_before_us 3:settle"},
    {"Breaker", "1:gateway 2:trip 3:duration_ms 4:by 5:note"},
    {"ShardsReleased", "1:shards"},
    {"ApiReply", "1:status 2:content_type 3:body 4:location 5:retry_after_s 6:replayed"},
    {"OrderAnswer", "1:exception 2:code 3:detail"},
    {"CutoffAnswer",
     "1:ok 3:batches 4:items 5:files 6:reconciled 7:exceptions 8:detail 9:shards"},
    {"NotOwner", "1:owner"},
    {"Accepted", ""},
  };
  const auto& file = *cluster::v1::Envelope::descriptor()->file();
  BOOST_TEST(static_cast<std::size_t>(file.message_type_count()) == pinned.size());
  for (int i = 0; i < file.message_type_count(); ++i) {
    const auto& message = *file.message_type(i);
    const auto known = pinned.find(message.name());
    BOOST_TEST_REQUIRE((known != pinned.end()), message.name());
    BOOST_TEST(fields_of(message) == known->second, message.name());
  }
}

BOOST_AUTO_TEST_CASE(numbers_of_errors_and_reasons_are_pinned) {
  const auto code_of = [](errc code) {
    cluster::v1::Envelope read;
    BOOST_REQUIRE(read.ParseFromString(encode(enclosed(rejection{make_error(code, "")}))));
    return read.rejection().code();
  };
  BOOST_TEST(code_of(errc::invalid_argument) == 1U);
  BOOST_TEST(code_of(errc::not_found) == 2U);
  BOOST_TEST(code_of(errc::invalid_state) == 3U);
  BOOST_TEST(code_of(errc::amount_too_large) == 4U);
  BOOST_TEST(code_of(errc::conflict) == 5U);
  BOOST_TEST(code_of(errc::not_owner) == 6U);
  BOOST_TEST(code_of(errc::rejected) == 7U);
  BOOST_TEST(code_of(errc::unavailable) == 8U);
  BOOST_TEST(code_of(errc::unknown_outcome) == 9U);
  BOOST_TEST(code_of(errc::overloaded) == 10U);
  BOOST_TEST(code_of(errc::corrupt) == 11U);
  BOOST_TEST(code_of(errc::internal) == 12U);
  BOOST_TEST(static_cast<int>(refusal_reason::cluster_name) == 1);
  BOOST_TEST(static_cast<int>(refusal_reason::protocol_version) == 2);
  BOOST_TEST(static_cast<int>(refusal_reason::shard_count) == 3);
  BOOST_TEST(static_cast<int>(refusal_reason::certificate) == 4);
  BOOST_TEST(static_cast<int>(refusal_reason::superseded) == 5);
  BOOST_TEST(static_cast<int>(refusal_reason::crowded) == 6);
  BOOST_TEST(static_cast<int>(refusal_reason::nonsense) == 7);
  BOOST_TEST(static_cast<int>(refusal_reason::cluster_id) == 8);
}

BOOST_AUTO_TEST_SUITE_END()
