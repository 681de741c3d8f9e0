// What the admin port tells of a cluster, and the orders that it takes for one.
#include "runtime/api/admin_api.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

namespace json = boost::json;

runtime::node_status a_node(const std::string& id, milliseconds alive_for) {
  runtime::node_status node;
  node.row.card.id = id;
  node.row.card.incarnation = "a";
  node.row.card.http = "http://10.0.0.1:8080";
  node.row.card.admin = "http://10.0.0.1:8081";
  node.row.card.advertise = "10.0.0.1:8090";
  node.row.card.version = "0.1.0";
  node.row.started_at = test_now;
  node.row.alive_for = alive_for;
  return node;
}

runtime::shard_status a_shard(std::uint16_t number, const std::string& owner) {
  runtime::shard_status shard;
  shard.lease.shard = {number};
  shard.lease.owner = owner;
  shard.lease.epoch = {7};
  shard.lease.lease_until = test_now + std::chrono::seconds{2};
  shard.lease.left = milliseconds{2'000};
  shard.lease.last_seq = {41};
  return shard;
}

struct cluster_fixture {
  fake_store store;
  fake_front front;
  key_ring keys{store, secret{test_pepper}, run_at_once, one_database};
  telemetry::registry metrics;
  admin_api api{
    store, front, keys, metrics,
    admin_options{.node = "node-1",
                  .now = [] { return test_now; },
                  .random = [] { return std::uint64_t{1}; },
                  .fold = [](const auto&) -> expected<payment> { return payment{}; },
                  .routes = nullptr,
                  .reload_routes = {}}};

  http::response send(std::string method, std::string path, std::string body = {}) {
    http::request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.headers = {{"content-type", "application/json"}};
    request.body = std::move(body);
    http::response answer;
    api.handle(std::move(request), [&](http::response given) { answer = std::move(given); });
    return answer;
  }
  json::array rows(const std::string& path) {
    const auto answer = send("GET", path);
    BOOST_REQUIRE(answer.status == 200);
    return json::parse(answer.body).at("data").as_array();
  }
  http::response move(std::string body) {
    return send("POST", "/admin/v1/shards/move", std::move(body));
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_admin_cluster, cluster_fixture)

BOOST_AUTO_TEST_CASE(nodes_are_alive_draining_or_dead) {
  auto leaving = a_node("node-2", milliseconds{1'000});
  leaving.row.card.draining = true;
  auto gone = a_node("node-3", milliseconds{0});
  gone.row.card.draining = true;
  front.nodes_seen = {a_node("node-1", milliseconds{1'000}), leaving, gone};
  const auto nodes = rows("/admin/v1/nodes");
  BOOST_REQUIRE(nodes.size() == 3U);
  BOOST_TEST(nodes[0].at("status").as_string() == "alive");
  BOOST_TEST(nodes[1].at("status").as_string() == "draining");
  BOOST_TEST(nodes[2].at("status").as_string() == "dead");
}

BOOST_AUTO_TEST_CASE(a_node_is_shown_with_its_ports_its_shards_and_our_link_to_it) {
  front.nodes_seen = {a_node("node-1", milliseconds{1'000}),
                      a_node("node-2", milliseconds{1'000})};
  front.nodes_seen[0].is_self = true;
  front.nodes_seen[1].shards = 1;
  links::link_status link;
  link.up = false;
  link.since = test_now;
  link.trouble = "its certificate is of another authority";
  front.nodes_seen[1].link = link;
  front.shards_seen = {a_shard(0, "node-2")};
  const auto nodes = rows("/admin/v1/nodes");
  BOOST_TEST(nodes[0].at("self").as_bool());
  BOOST_TEST(nodes[0].at("link").is_null());
  BOOST_TEST(nodes[0].at("lease_until").is_null());
  BOOST_TEST(nodes[1].at("cluster").as_string() == "10.0.0.1:8090");
  BOOST_TEST(nodes[1].at("admin").as_string() == "http://10.0.0.1:8081");
  BOOST_TEST(nodes[1].at("shards").as_int64() == 1);
  BOOST_TEST(!nodes[1].at("lease_until").is_null());
  BOOST_TEST(!nodes[1].at("link").at("up").as_bool());
  BOOST_TEST(nodes[1].at("link").at("trouble").as_string() == link.trouble);
}

BOOST_AUTO_TEST_CASE(of_the_shards_of_others_only_their_leases_are_known) {
  auto mine = a_shard(0, "node-1");
  mine.is_here = mine.serving = true;
  mine.in_flight = 3;
  mine.overdue = milliseconds{12};
  auto pinned = a_shard(1, "node-2");
  pinned.lease.pinned_to = "node-3";
  front.shards_seen = {mine, pinned, a_shard(2, "")};
  const auto shards = rows("/admin/v1/shards");
  BOOST_TEST(shards[0].at("serving").as_bool());
  BOOST_TEST(shards[0].at("in_flight").as_int64() == 3);
  BOOST_TEST(shards[0].at("lag_ms").as_int64() == 12);
  BOOST_TEST(shards[0].at("lease_left_ms").as_int64() == 2'000);
  BOOST_TEST(shards[0].at("last_seq").as_int64() == 41);
  BOOST_TEST(shards[0].at("pinned_to").is_null());
  for (const auto* name : {"serving", "in_flight", "live_payments", "lag_ms"})
    BOOST_TEST(shards[1].at(name).is_null(), name);
  BOOST_TEST(shards[1].at("pinned_to").as_string() == "node-3");
  for (const auto* name : {"owner", "lease_until", "lease_left_ms"})
    BOOST_TEST(shards[2].at(name).is_null(), name);
}

BOOST_AUTO_TEST_CASE(shards_are_pinned_to_a_node_and_let_go_again) {
  BOOST_TEST(move(R"({"shards":"0-7","to":"node-2"})").status == 202);
  BOOST_TEST(move(R"({"shards":31,"to":"node-3"})").status == 202);
  const auto let_go = move(R"({"shards":"5","to":null})");
  BOOST_TEST(let_go.status == 202);
  BOOST_TEST(json::parse(let_go.body).at("to").is_null());
  BOOST_REQUIRE(front.moves.size() == 3U);
  BOOST_TEST(front.moves[0].first.value == 0);
  BOOST_TEST(front.moves[0].last.value == 7);
  BOOST_TEST(front.moves[0].to == "node-2");
  BOOST_TEST(front.moves[1].first.value == 31);
  BOOST_TEST(front.moves[1].last.value == 31);
  BOOST_TEST(front.moves[2].to.empty());
}

BOOST_AUTO_TEST_CASE(orders_to_move_that_make_no_sense_are_refused) {
  for (const auto* body :
       {R"({})", R"({"shards":"0"})", R"({"to":"node-2"})",
        R"({"shards":"0-32","to":"node-2"})", R"({"shards":"7-0","to":"node-2"})",
        R"({"shards":-1,"to":"node-2"})", R"({"shards":[1],"to":"node-2"})",
        R"({"shards":"all","to":"node-2"})", R"({"shards":"0","to":""})",
        R"({"shards":"0","to":7})", R"({"shards":"0","to":"Node 2"})",
        R"({"shards":"0","to":"node-2","force":true})"})
    BOOST_TEST(move(body).status == 400, body);
  BOOST_TEST(front.moves.empty());
}

BOOST_AUTO_TEST_CASE(a_node_that_nobody_knows_is_not_moved_to) {
  front.move_answer = make_error(errc::not_found, "there is no node \"node-9\"");
  const auto refused = move(R"({"shards":"0","to":"node-9"})");
  BOOST_TEST(refused.status == 404);
  BOOST_TEST(json::parse(refused.body).at("detail").as_string()
             == "there is no node \"node-9\"");
  front.move_answer = make_error(errc::unavailable, "down");
  BOOST_TEST(move(R"({"shards":"0","to":"node-2"})").status == 503);
}

BOOST_AUTO_TEST_CASE(a_breaker_is_that_of_one_node) {
  BOOST_TEST(rows("/admin/v1/gateways").at(0).at("node").as_string() == "node-1");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
