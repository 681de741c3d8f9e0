// How two nodes get to know each other: who is let in, who is refused, and in which words.
#include "actors/link/handshake.hpp"
#include "messages/limits.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace holdfast;
using namespace holdfast::links;

namespace {

introduction node(const std::string& name) {
  introduction who;
  who.cluster = "prod";
  who.cluster_id.bytes.fill(0xab);
  who.node = name;
  who.incarnation = name + "-1";
  who.started_at = timestamp{std::chrono::seconds{1'700'000'000}};
  who.program = "1.0.0";
  who.shards = 32;
  who.nonce = std::string(limits::link_nonce_bytes, name.back());
  who.io_node = "process of " + name;
  return who;
}

/// A signature is "key of NAME: bytes"; a certificate is the name that it is for.
class fake_credentials final : public credentials {
public:
  explicit fake_credentials(std::string name) : name_(std::move(name)) {}

  const std::string& certificate() const override { return name_; }
  expected<std::string> sign(std::string_view bytes) const override {
    return "key of " + name_ + ": " + std::string{bytes};
  }
  expected<void> verify(std::string_view certificate, const std::string& who,
                        std::string_view bytes, std::string_view signature) const override {
    if (certificate != who)
      return make_error(errc::invalid_argument, "names " + std::string{certificate});
    if (signature != "key of " + who + ": " + std::string{bytes})
      return make_error(errc::invalid_argument, "is not its own");
    return {};
  }

private:
  std::string name_;
};

/// What is said on the way, before the other hears it.
struct tampering {
  std::function<void(hello&)> with_hello = [](hello&) {};
  std::function<void(challenge&)> with_challenge = [](challenge&) {};
  std::function<void(proof&)> with_proof = [](proof&) {};
};

/// The whole handshake. Empty: both are content; else the refusal's words.
std::string meet(introduction a, introduction b, const tampering& change = {},
                 const std::string& a_certificate = "a",
                 const std::string& b_certificate = "b") {
  const fake_credentials a_keys{a_certificate};
  const fake_credentials b_keys{b_certificate};
  caller calls{std::move(a), &a_keys};
  callee is_called{std::move(b), &b_keys};
  auto greeting = calls.begin();
  change.with_hello(greeting);
  auto asked = is_called.answer(greeting);
  if (const auto* why = std::get_if<refusal>(&asked))
    return why->detail;
  change.with_challenge(std::get<challenge>(asked));
  auto proved = calls.answer(std::get<challenge>(asked));
  if (const auto* why = std::get_if<refusal>(&proved))
    return why->detail;
  change.with_proof(std::get<proof>(proved));
  const auto why = is_called.check(std::get<proof>(proved));
  return why ? why->detail : "";
}

introduction with(introduction who, const std::function<void(introduction&)>& change) {
  change(who);
  return who;
}

} // namespace

BOOST_AUTO_TEST_SUITE(actors_link_handshake)

BOOST_AUTO_TEST_CASE(two_of_one_cluster_are_content) {
  BOOST_TEST(meet(node("a"), node("b")) == "");
  caller calls{node("a"), nullptr};
  callee is_called{node("b"), nullptr};
  const auto asked = is_called.answer(calls.begin());
  BOOST_TEST(is_called.peer().node == "a");
  BOOST_TEST(!calls.has_proved());
  BOOST_TEST(std::holds_alternative<proof>(calls.answer(std::get<challenge>(asked))));
  BOOST_TEST(calls.peer().node == "b");
  BOOST_TEST(calls.has_proved());
}

BOOST_AUTO_TEST_CASE(each_difference_is_named_the_same_on_both_sides) {
  struct row {
    std::function<void(introduction&)> change;
    refusal_reason reason;
    std::string words;
  };
  const std::vector<row> table{
    {[](auto& who) { who.cluster = "test"; }, refusal_reason::cluster_name,
     R"(cluster name: b belongs to "prod", a to "test")"},
    {[](auto& who) { who.cluster_id.bytes.fill(0xcd); }, refusal_reason::cluster_id,
     "cluster id: b belongs to abababababababababababababababab, a to "
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd, which has the same name: one of them leads to the wrong "
     "databases or seeds"},
    {[](auto& who) { who.cluster_id = {}; }, refusal_reason::cluster_id,
     "cluster id: b belongs to abababababababababababababababab, a (1.0.0) gives none: upgrade it"},
    {[](auto& who) {
       who.oldest_protocol = 7;
       who.newest_protocol = 9;
       who.program = "2.0.0";
     },
     refusal_reason::protocol_version,
     "protocol version: b (1.0.0) speaks 1 to 1, a (2.0.0) 7 to 9"},
    {[](auto& who) { who.shards = 16; }, refusal_reason::shard_count,
     "shard count: b has 32, a has 16"},
    {[](auto& who) { who.node = "b"; }, refusal_reason::superseded,
     R"(superseded: two processes run as "b")"},
  };
  for (const auto& [change, reason, words] : table) {
    const auto stranger = with(node("a"), change);
    BOOST_TEST(meet(stranger, node("b")) == words);
    const auto by_caller = judge(stranger, node("b"));
    BOOST_REQUIRE(by_caller);
    BOOST_TEST((by_caller->reason == reason));
  }
}

BOOST_AUTO_TEST_CASE(neighbouring_versions_agree_on_the_newest_that_both_speak) {
  auto older = node("a");
  older.oldest_protocol = 1;
  older.newest_protocol = 3;
  auto newer = node("b");
  newer.oldest_protocol = 2;
  newer.newest_protocol = 4;
  BOOST_TEST(!judge(older, newer).has_value());
  BOOST_TEST(!judge(newer, older).has_value());
  BOOST_TEST(common_protocol(older, newer) == 3U);
  BOOST_TEST(common_protocol(newer, older) == 3U);
}

BOOST_AUTO_TEST_CASE(the_certificate_must_name_the_node) {
  BOOST_TEST(meet(node("a"), node("b"), {}, "a", "c") == "certificate: that of b names c");
  BOOST_TEST(meet(node("a"), node("b"), {}, "c", "b") == "certificate: that of a names c");
}

BOOST_AUTO_TEST_CASE(what_is_signed_belongs_to_this_handshake_alone) {
  // Whatever of it somebody between the two exchanges, one of them notices.
  const std::vector<std::function<void(introduction&)>> changes{
    [](auto& who) { who.nonce[0] = 'x'; },  [](auto& who) { who.node = "z"; },
    [](auto& who) { who.cluster_id = {}; }, [](auto& who) { who.incarnation = "z"; },
    [](auto& who) { who.io_node = "z"; },
  };
  for (const auto& change : changes) {
    tampering to_callee;
    to_callee.with_hello = [&](hello& said) { change(said.who); };
    BOOST_TEST(meet(node("a"), node("b"), to_callee) != "");
    tampering to_caller;
    to_caller.with_challenge = [&](challenge& said) { change(said.who); };
    BOOST_TEST(meet(node("a"), node("b"), to_caller) != "");
  }
  tampering with_signature;
  with_signature.with_proof = [](proof& said) { said.signature += 'x'; };
  BOOST_TEST(meet(node("a"), node("b"), with_signature)
             == "certificate: that of a is not its own");
  tampering without;
  without.with_challenge = [](challenge& said) { said = {said.who, "", ""}; };
  BOOST_TEST(meet(node("a"), node("b"), without) != "");
}

BOOST_AUTO_TEST_CASE(a_signature_can_not_be_sent_back) {
  // What the callee has signed is no proof of the callee as a caller.
  const fake_credentials keys{"b"};
  callee is_called{node("b"), &keys};
  const auto asked = std::get<challenge>(is_called.answer(hello{node("a")}));
  callee victim{node("a"), &keys};
  const auto ignored = victim.answer(hello{node("b")});
  static_cast<void>(ignored);
  BOOST_TEST(victim.check(proof{asked.certificate, asked.signature}).has_value());
}

BOOST_AUTO_TEST_CASE(a_second_challenge_is_nonsense) {
  caller calls{node("a"), nullptr};
  BOOST_TEST(std::holds_alternative<proof>(calls.answer(challenge{node("b"), "", ""})));
  const auto again = calls.answer(challenge{node("b"), "", ""});
  BOOST_REQUIRE(std::holds_alternative<refusal>(again));
  BOOST_TEST((std::get<refusal>(again).reason == refusal_reason::nonsense));
}

BOOST_AUTO_TEST_CASE(the_youngest_incarnation_counts) {
  auto before = node("a");
  auto after = before;
  after.incarnation = "a-0";
  after.started_at += std::chrono::seconds{1};
  BOOST_TEST(is_younger(after, before));
  BOOST_TEST(!is_younger(before, after));
  BOOST_TEST(!is_younger(before, before));
  BOOST_TEST(is_ourselves(before, before));
  BOOST_TEST(!is_ourselves(before, after));
}

BOOST_AUTO_TEST_SUITE_END()
