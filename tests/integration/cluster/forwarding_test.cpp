// Any node takes any request, and nobody can tell from the answer which one it was. Fault 19 of
// the fault list. `make same-keys` asks with more keys.
#include "messages/limits.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/demo/reading.hpp"
#include "tests/integration/cluster/cluster_suite.hpp"
#include "tests/support/environment.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace holdfast {

using test::api_answer;
using test::api_client;
using test::cluster;
using test::cluster_suite;
using test::eventually;
using test::payment_order;

namespace {

constexpr milliseconds patience{30'000};
constexpr std::size_t nodes_asked = 3;
constexpr std::string_view lost_card = "4000000000009987";

struct three_nodes : cluster_suite {
  three_nodes() : cluster_suite() {}
};

/// Everything that an answer is to a client, but for what is another each time by design.
std::string face_of(const api_answer& answer) {
  std::string text = std::to_string(answer.status) + '\n';
  std::vector<std::string> lines;
  for (const auto& [name, value] : answer.headers)
    if (name != "date" && name != "request-id")
      lines.push_back(name + ": " + value + '\n');
  std::ranges::sort(lines);
  for (const auto& line : lines)
    text += line;
  return text + answer.body;
}

/// One merchant at three doors.
class three_doors {
public:
  three_doors(cluster_suite& suite, shard_number shard) {
    for (std::size_t node = 0; node < nodes_asked; ++node)
      doors_[node] = suite.client(node, shard);
  }

  api_client& at(std::size_t node) { return *doors_[node]; }

  /// With a request id of its own, since refusals tell it.
  api_answer post(std::size_t node, const std::string& target, const std::string& body,
                  const std::string& key) {
    auto call = doors_[node]->make_post(target, body, key);
    call.headers.emplace_back("Request-Id", "the-same-everywhere");
    return doors_[node]->send(std::move(call));
  }

  /// Asks at one node first, and then all of them again.
  api_answer expect_same(std::size_t first, const std::string& target, const std::string& body,
                         const std::string& key) {
    const auto answer = post(first, target, body, key);
    std::set<std::string> faces;
    for (std::size_t node = 0; node < nodes_asked; ++node) {
      const auto again = post(node, target, body, key);
      BOOST_TEST(again.status == answer.status);
      BOOST_TEST(again.body == answer.body);
      faces.insert(face_of(again));
    }
    BOOST_TEST(faces.size() == 1U, "first: " << face_of(answer) << "\nagain: " << *faces.begin()
                                             << "\nand: " << *faces.rbegin());
    return answer;
  }

  void expect_same_get(const std::string& target) {
    std::set<std::string> faces;
    for (std::size_t node = 0; node < nodes_asked; ++node)
      faces.insert(face_of(doors_[node]->get(target)));
    BOOST_TEST(faces.size() == 1U, *faces.begin() << "\nand: " << *faces.rbegin());
  }

private:
  std::array<std::unique_ptr<api_client>, nodes_asked> doors_;
};

/// Asks again and again until the first request with this key has its answer.
api_answer insist(api_client& api, const std::string& key, const std::string& body) {
  api_answer answer;
  static_cast<void>(eventually(patience, [&] {
    answer = api.send(api.make_post("/v1/payments", body, key));
    return answer.status != 409 && answer.status != 503 && answer.status != 202;
  }));
  return answer;
}

/// What came of one key at all nodes at once, for many keys.
struct storm {
  std::map<std::string, api_answer> payments; ///< by key
  std::size_t conflicts = 0;                  ///< "still running", and the same answer later
};

constexpr std::uint64_t keys_at_once = 20;

void ask_everywhere(cluster_suite& suite, std::uint64_t first, std::uint64_t end,
                    storm& found) {
  three_doors doors{suite, shard_number{0}};
  std::vector<std::pair<std::string, std::future<api_answer>>> awaited;
  for (auto i = first; i < end; ++i) {
    const auto key = "storm-" + std::to_string(i);
    for (std::size_t node = 0; node < nodes_asked; ++node)
      awaited.emplace_back(key, doors.at(node).begin(cluster_suite::payment_call(
                                  doors.at(node), payment_order{}, key)));
  }
  for (auto& [key, future] : awaited) {
    auto answer = future.get();
    if (answer.status == 409) {
      ++found.conflicts;
      answer = insist(doors.at(0), key, payment_order{}.body());
    }
    BOOST_TEST_REQUIRE(answer.status == 201, answer.body);
    const auto& known = found.payments.emplace(key, answer).first->second;
    BOOST_TEST(known.body == answer.body);
  }
}

/// Effective authorizations, by payment.
std::map<std::string, int> charges_of(const cluster& nodes) {
  std::map<std::string, int> charges;
  for (const auto& record : demo::read_records(nodes.sandbox()).value())
    if (record.kind == "authorize" && record.effective)
      ++charges[std::string{demo::payment_of(record.reference)}];
  return charges;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_forwarding, *boost::unit_test::fixture<three_nodes>())

BOOST_AUTO_TEST_CASE(whichever_node_is_asked_first_all_give_its_answer_byte_for_byte) {
  auto& suite = cluster_suite::here();
  const auto shard = suite.shard_of(0);
  three_doors doors{suite, shard};
  for (std::size_t first = 0; first < nodes_asked; ++first) {
    BOOST_TEST_CONTEXT("first asked at " << cluster::id_of(first)) {
      const auto key = [&] { return suite.merchants().key_to(shard); };
      const auto held = doors.expect_same(first, "/v1/payments", payment_order{}.body(), key());
      BOOST_TEST_REQUIRE(held.status == 201);
      const auto payment = "/v1/payments/" + held.text("/id");
      doors.expect_same_get(payment);
      const auto part =
        doors.expect_same(first, payment + "/capture", R"({"amount":600})", key());
      BOOST_TEST(part.status == 200);
      const auto too_much =
        doors.expect_same(first, payment + "/capture", R"({"amount":60000})", key());
      BOOST_TEST(too_much.status == 422);
      const auto refund =
        doors.expect_same(first, payment + "/refunds", R"({"amount":100})", key());
      BOOST_TEST(refund.status == 201);
      doors.expect_same_get(payment);
      doors.expect_same_get("/v1/refunds/" + refund.text("/id"));
      const auto declined = doors.expect_same(first, "/v1/payments",
                                              payment_order{.card = lost_card}.body(), key());
      BOOST_TEST(declined.status == 402);
      const auto void_of_declined = doors.expect_same(
        first, "/v1/payments/" + declined.text("/payment/id") + "/void", "", key());
      BOOST_TEST(void_of_declined.status == 409);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_request_with_a_used_key_is_refused_alike) {
  auto& suite = cluster_suite::here();
  const auto shard = suite.shard_of(1);
  three_doors doors{suite, shard};
  const auto key = suite.merchants().key_to(shard);
  BOOST_TEST(doors.post(0, "/v1/payments", payment_order{}.body(), key).status == 201);
  std::set<std::string> faces;
  for (std::size_t node = 0; node < nodes_asked; ++node) {
    const auto other =
      doors.post(node, "/v1/payments", payment_order{.amount = 2'000}.body(), key);
    BOOST_TEST(other.status == 422);
    faces.insert(face_of(other));
  }
  BOOST_TEST(faces.size() == 1U, *faces.begin() << "\nand: " << *faces.rbegin());
}

BOOST_AUTO_TEST_CASE(the_same_key_at_all_nodes_at_once_charges_once) {
  auto& suite = cluster_suite::here();
  const auto keys = test::number_from_environment("HOLDFAST_CLUSTER_KEYS", 60);
  storm found;
  for (std::uint64_t begun = 0; begun < keys; begun += keys_at_once)
    ask_everywhere(suite, begun, std::min(keys, begun + keys_at_once), found);
  const auto charges = charges_of(suite.nodes());
  const auto charged_once = std::ranges::count_if(found.payments, [&](const auto& one) {
    const auto charge = charges.find(one.second.text("/id"));
    return charge != charges.end() && charge->second == 1;
  });
  BOOST_TEST(found.payments.size() == keys);
  BOOST_TEST(charged_once == static_cast<std::ptrdiff_t>(keys));
  BOOST_TEST_MESSAGE(keys << " keys at " << nodes_asked << " nodes at once: " << charged_once
                          << " charged once, " << found.conflicts
                          << " answers 409 that became the same answer");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_made_or_revoked_at_one_node_is_so_at_all) {
  const auto& nodes = cluster_suite::here().nodes();
  const auto made = nodes.operators(0).post(
    "/admin/v1/merchants", boost::json::object{{"name", "New"}, {"currency", "EUR"}});
  BOOST_TEST_REQUIRE(made.has_value());
  const auto key = client::string_at(made->as_object(), "api_key");
  const auto status_at = [&](std::size_t node) {
    return api_client{nodes.http(node), key}.get("/v1/payments").status;
  };
  for (std::size_t node = 0; node < nodes_asked; ++node)
    BOOST_TEST(status_at(node) == 200, "node " << node);
  const auto revoked = nodes.operators(1).post(
    "/admin/v1/keys/" + client::string_at(made->as_object(), "key") + "/revoke", {});
  BOOST_TEST_REQUIRE(revoked.has_value());
  BOOST_TEST(status_at(1) == 401);
  const milliseconds dead_within{2 * limits::key_age_ms_max};
  for (std::size_t node = 0; node < nodes_asked; ++node)
    BOOST_TEST(eventually(dead_within, [&] { return status_at(node) == 401; }),
               "node " << node);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
