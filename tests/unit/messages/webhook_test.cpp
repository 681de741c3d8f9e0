// What gateways sign and what they speak of: signatures, types and references.
#include "messages/webhook.hpp"

#include "messages/limits.hpp"
#include "messages/webhook_signature.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace holdfast {

namespace {

constexpr std::string_view body = R"({"id":"evt_1"})";

timestamp noon() {
  return parse_rfc3339("2026-11-23T12:00:00Z").value();
}

secret our_secret() {
  return secret{"a secret of the gateway"};
}

/// The header that a gateway with this secret sends so many seconds after noon.
std::string signed_at(std::int64_t seconds, const secret& key = our_secret()) {
  return sign_webhook(body, key, noon() + std::chrono::seconds{seconds});
}

std::string_view name_of(signature_verdict verdict) {
  switch (verdict) {
    case signature_verdict::good: return "good";
    case signature_verdict::malformed: return "malformed";
    case signature_verdict::forged: return "forged";
    case signature_verdict::stale: return "stale";
  }
  return "none";
}

std::string only_v1(const std::string& header) {
  return header.substr(header.find(",v1=") + 1);
}

} // namespace

BOOST_AUTO_TEST_SUITE(messages_webhook)

BOOST_AUTO_TEST_CASE(believes_a_signature_of_now_over_these_very_bytes) {
  const auto window = limits::webhook_skew_s_max;
  const auto ours = signed_at(0);
  const auto old = signed_at(0, secret{"the secret before this one"});
  const auto time = ours.substr(0, ours.find(','));
  const std::string some_hex(64, 'a');
  struct row {
    std::string header;
    std::string_view verdict;
  };
  const std::vector<row> table{
    {ours, "good"},
    {signed_at(-window), "good"},
    {signed_at(window), "good"},
    // A gateway whose secret is being changed signs with both.
    {old + ',' + only_v1(ours), "good"},
    {ours + ',' + only_v1(old), "good"},
    {time + ",v0=" + some_hex + ',' + only_v1(ours), "good"},
    {time + ", " + only_v1(ours), "good"},
    {signed_at(-window - 1), "stale"},
    {signed_at(window + 1), "stale"},
    {signed_at(-86'400), "stale"},
    {old, "forged"},
    {time + ",v1=" + some_hex, "forged"},
    {time + ",v1=", "forged"},
    {ours.substr(0, ours.size() - 1), "forged"},
    // Of another time, so not of this text; old besides, which who can't sign isn't told.
    {"t=1," + only_v1(ours), "forged"},
    {"", "malformed"},
    {"t=", "malformed"},
    {time, "malformed"},
    {only_v1(ours), "malformed"},
    {time + ',' + ours, "malformed"},
    {"t=noon," + only_v1(ours), "malformed"},
    {"t=-1," + only_v1(ours), "malformed"},
    {"t=99999999999999999999," + only_v1(ours), "malformed"},
    {time + ",v0=" + some_hex, "malformed"},
  };
  for (const auto& [header, verdict] : table)
    BOOST_TEST(name_of(check_webhook(header, body, our_secret(), noon())) == verdict, header);
}

BOOST_AUTO_TEST_CASE(has_a_limit_on_signatures_and_bytes) {
  auto header = signed_at(0);
  for (std::size_t i = 1; i < limits::webhook_signatures_max; ++i)
    header += ",v1=00";
  BOOST_TEST(name_of(check_webhook(header, body, our_secret(), noon())) == "good");
  BOOST_TEST(name_of(check_webhook(header + ",v1=00", body, our_secret(), noon()))
             == "malformed");
  const auto padded =
    signed_at(0) + ",x=" + std::string(limits::webhook_signature_bytes_max, 'a');
  BOOST_TEST(name_of(check_webhook(padded, body, our_secret(), noon())) == "malformed");
}

BOOST_AUTO_TEST_CASE(knows_every_byte_of_the_body) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string other{body};
    other[i] = static_cast<char>(other[i] ^ 1);
    BOOST_TEST(name_of(check_webhook(signed_at(0), other, our_secret(), noon())) == "forged");
  }
}

/// HMAC-SHA-256 as everybody computes it: the value is of `openssl dgst -sha256 -hmac`.
BOOST_AUTO_TEST_CASE(signs_as_gateways_do) {
  BOOST_TEST(
    sign_webhook("{}", secret{"key"}, timestamp{std::chrono::seconds{1'700'000'000}})
    == "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae");
}

BOOST_AUTO_TEST_CASE(reads_back_every_type) {
  for (const auto type :
       {webhook_type::approved, webhook_type::declined, webhook_type::captured,
        webhook_type::refunded, webhook_type::reversed, webhook_type::dispute_opened,
        webhook_type::dispute_won, webhook_type::dispute_lost}) {
    const auto read = parse_webhook_type(to_string(type));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((*read == type));
    BOOST_TEST(is_dispute(type) == to_string(type).starts_with("dispute."));
  }
  BOOST_TEST(!parse_webhook_type("payout.paid").has_value());
}

BOOST_AUTO_TEST_CASE(takes_our_references_apart) {
  const auto id = payment_id::make(noon(), shard_number{7}, 1);
  const auto attempt = parse_reference(attempt_reference(id, 12));
  BOOST_REQUIRE(attempt.has_value());
  BOOST_TEST((attempt->payment == id));
  BOOST_TEST(attempt->attempt == 12U);
  BOOST_TEST(!attempt->operation.has_value());
  for (const auto kind :
       {operation_kind::capture, operation_kind::refund, operation_kind::void_hold}) {
    const auto operation = parse_reference(operation_reference(id, kind, 3));
    BOOST_REQUIRE(operation.has_value());
    BOOST_TEST((operation->payment == id && operation->operation == kind));
    BOOST_TEST(operation->ordinal == 3U);
    BOOST_TEST(operation->attempt == 0U);
  }
  const auto text = id.text();
  for (const std::string& wrong : std::vector<std::string>{
         std::string{}, text, text + '.', text + ".0", text + ".01", text + ".1 ", text + ".x1",
         text + ".c", text + ".c0", text + ".-1", text + ".99999999999", "pay_1.1",
         std::string{".1"}, "ref_" + text.substr(4) + ".1"})
    BOOST_TEST(!parse_reference(wrong).has_value(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
