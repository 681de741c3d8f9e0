#include "runtime/api/admin_api.hpp"

#include "messages/entry_id.hpp"
#include "messages/limits.hpp"
#include "messages/problem.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <set>

namespace holdfast::api {

namespace {

struct fixture {
  fake_store store;
  fake_front front;
  key_ring keys{store, secret{test_pepper}, run_at_once, one_database};
  telemetry::registry metrics;
  timestamp now = test_now;
  std::uint64_t next_random = 37;
  routing routes{{{.currency = {"EUR"},
                   .gateways = {"alpha", "beta"},
                   .weights = {70, 30},
                   .acquirer = "x"}},
                 test_now};
  std::string mistake_in_file; ///< that a reload meets
  admin_api api{
    store, front, keys, metrics,
    admin_options{.node = "node-1",
                  .fee_bps_default = 30,
                  .cutoff_timeout = milliseconds{100},
                  .now = [this] { return now; },
                  .random = [this] { return next_random++; },
                  .fold = [](const auto&) -> expected<payment> { return payment{}; },
                  .routes = &routes,
                  .reload_routes = [this] { return reload(); }}};

  expected<void> reload() {
    if (!mistake_in_file.empty())
      return make_error(errc::invalid_argument, mistake_in_file);
    routes.replace(routes.in_force()->table.routes(), now);
    return {};
  }

  http::response send(http::request request) {
    std::vector<http::response> answers;
    api.handle(std::move(request), [&](http::response answer) { answers.push_back(answer); });
    BOOST_REQUIRE(answers.size() == 1U);
    return answers.front();
  }
  http::response get(std::string path,
                     std::vector<std::pair<std::string, std::string>> query = {}) {
    http::request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    return send(std::move(request));
  }
  http::response post(std::string path, std::string body = {}) {
    http::request request;
    request.method = "POST";
    request.path = std::move(path);
    request.body = std::move(body);
    request.headers = {{"content-type", "application/json"}};
    return send(std::move(request));
  }
  bool is_known(std::string_view key) {
    bool known = false;
    keys.find(key, now,
              [&](const auto& found) { known = found.has_value() && found->has_value(); });
    return known;
  }
};

std::string text_at(const http::response& answer, std::string_view name) {
  return std::string{boost::json::parse(answer.body).at(name).as_string()};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_admin, fixture)

BOOST_AUTO_TEST_CASE(makes_a_merchant_with_a_key_that_works_at_once) {
  const auto answer =
    post("/admin/v1/merchants", R"({"name":"Shop","currency":"EUR","stripes":2,"fee_bps":15})");
  BOOST_TEST(answer.status == 201);
  BOOST_REQUIRE(store.merchants.size() == 1U);
  BOOST_TEST(store.merchants.front().stripes == 2);
  BOOST_TEST(store.merchants.front().fee_bps == 15U);
  BOOST_TEST(store.merchants.front().id.shard().value == 37 % 32);
  BOOST_TEST(text_at(answer, "id") == store.merchants.front().id.text());
  BOOST_TEST(store.key_looks == 0); // of all keys, for each new one
  BOOST_TEST(is_known(text_at(answer, "api_key")));
  BOOST_TEST(get("/admin/v1/merchants").body.find("api_key\":\"hf_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(puts_a_merchant_where_its_stripes_have_room) {
  const shard_layout layout{{{{0}, {3}}, {{4}, {15}}, {{16}, {19}}}};
  admin_options options;
  options.layout = layout;
  options.random = [this] { return next_random++; };
  options.fold = [](const auto&) -> expected<payment> { return payment{}; };
  admin_api split{store, front, keys, metrics, options};
  const auto make = [&](int stripes) {
    http::request request;
    request.method = "POST";
    request.path = "/admin/v1/merchants";
    request.headers = {{"content-type", "application/json"}};
    request.body =
      R"({"name":"Shop","currency":"EUR","stripes":)" + std::to_string(stripes) + '}';
    int status = 0;
    split.handle(std::move(request), [&](http::response answer) { status = answer.status; });
    return status;
  };
  std::set<std::uint16_t> homes;
  for (int i = 0; i < 40; ++i) {
    BOOST_REQUIRE(make(5) == 201);
    homes.insert(store.merchants.back().id.shard().value);
  }
  BOOST_TEST(homes.size() > 1U);
  BOOST_TEST(*homes.begin() >= 4);
  BOOST_TEST(*homes.rbegin() <= 15);
  BOOST_TEST(make(12) == 201);
  BOOST_TEST(make(13) == 400);
}

BOOST_AUTO_TEST_CASE(is_not_for_web_pages) {
  http::request request;
  request.method = "POST";
  request.path = "/admin/v1/routes/reload";
  for (const auto& [name, value, status] :
       {std::tuple{"origin", "http://example.com", 403}, std::tuple{"origin", "null", 403},
        std::tuple{"sec-fetch-site", "same-origin", 403},
        std::tuple{"sec-fetch-site", "cross-site", 403},
        std::tuple{"sec-fetch-site", "none", 200}}) {
    request.headers = {{name, value}};
    BOOST_TEST(send(request).status == status, name << ": " << value);
  }
}

BOOST_AUTO_TEST_CASE(checks_merchants) {
  BOOST_TEST(text_at(post("/admin/v1/merchants", R"({"currency":"EUR"})"), "param") == "name");
  BOOST_TEST(text_at(post("/admin/v1/merchants", R"({"name":"S","currency":"E"})"), "param")
             == "currency");
  BOOST_TEST(
    text_at(post("/admin/v1/merchants", R"({"name":"S","currency":"EUR","stripes":33})"),
            "param")
    == "stripes");
  BOOST_TEST(
    text_at(post("/admin/v1/merchants", R"({"name":"S","currency":"EUR","x":1})"), "code")
    == "unknown_field");
  BOOST_TEST(post("/admin/v1/merchants", "").status == 400);
  BOOST_TEST(store.merchants.empty());
}

BOOST_AUTO_TEST_CASE(makes_and_revokes_keys) {
  add_merchant(store, keys, test_merchant(1));
  const auto body = R"({"merchant":")" + test_merchant(1).text() + R"(","live":true})";
  const auto made = post("/admin/v1/keys", body);
  BOOST_TEST(made.status == 201);
  const auto key = text_at(made, "api_key");
  BOOST_TEST(key.starts_with("hf_live_"));
  BOOST_TEST(is_known(key));
  const auto looks = store.key_looks;
  BOOST_TEST(post("/admin/v1/keys/" + text_at(made, "id") + "/revoke").status == 200);
  BOOST_TEST(store.key_looks == looks);
  BOOST_TEST(!is_known(key));
  const auto listed = boost::json::parse(get("/admin/v1/keys").body);
  BOOST_TEST(listed.at("data").as_array().size() == 2U);
  const auto nobody = R"({"merchant":")" + test_merchant(2).text() + R"("})";
  BOOST_TEST(post("/admin/v1/keys", nobody).status == 404);
  BOOST_TEST(post("/admin/v1/keys/key_1/revoke").status == 404);
}

BOOST_AUTO_TEST_CASE(a_database_that_is_away_does_not_keep_others_from_keys_and_merchants) {
  admin_options options;
  options.layout = two_databases;
  options.random = [this] { return next_random++; };
  options.fold = [](const auto&) -> expected<payment> { return payment{}; };
  key_ring ring{store, secret{test_pepper}, run_at_once, two_databases};
  admin_api split{store, front, ring, metrics, options};
  const auto make = [&](std::string path, std::string body) {
    http::request request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers = {{"content-type", "application/json"}};
    request.body = std::move(body);
    int status = 0;
    split.handle(std::move(request), [&](http::response answer) { status = answer.status; });
    return status;
  };
  add_merchant(store, ring, test_merchant(1));
  store.away = two_databases.ranges().back();
  const auto body = R"({"merchant":")" + test_merchant(1).text() + R"("})";
  BOOST_TEST(make("/admin/v1/keys", body) == 201);
  for (int i = 0; i < 40; ++i) {
    BOOST_TEST(make("/admin/v1/merchants", R"({"name":"Shop","currency":"EUR"})") == 201);
    BOOST_TEST(store.merchants.back().id.shard().value < 16);
  }
  // Some were drawn a home there first. When all are away, each is asked once.
  BOOST_TEST(store.merchant_tries > 40);
  store.away = one_database.ranges().front();
  store.merchant_tries = 0;
  BOOST_TEST(make("/admin/v1/merchants", R"({"name":"Shop","currency":"EUR"})") == 503);
  BOOST_TEST(store.merchant_tries == 2);
  BOOST_TEST(make("/admin/v1/keys", body) == 503);
}

BOOST_AUTO_TEST_CASE(tells_life_from_readiness) {
  BOOST_TEST(get("/healthz").status == 200);
  BOOST_TEST(get("/readyz").status == 200);
  front.warnings_told = {"Shards 16-31 have no owner."};
  const auto ready = get("/readyz");
  BOOST_TEST(ready.status == 200);
  BOOST_TEST(text_at(ready, "status") == "ready");
  const auto warnings = boost::json::parse(ready.body).at("warnings");
  BOOST_TEST(warnings == boost::json::array{"Shards 16-31 have no owner."});
  front.is_ready = false;
  BOOST_TEST(get("/readyz").status == 503);
  BOOST_TEST(text_at(get("/readyz"), "code") == "not_ready");
  BOOST_TEST(text_at(get("/readyz"), "detail") == front.waiting_for());
  front.is_ready = true;
  store.down = true;
  BOOST_TEST(get("/readyz").status == 503);
  BOOST_TEST(get("/healthz").status == 200);
}

BOOST_AUTO_TEST_CASE(shows_metrics_and_counts_payments_now_and_then) {
  store.counts.push_back({"authorized", currency::parse("EUR").value(), 3, minor_units{30}});
  metrics.counter_of("holdfast_test_total", "A test.", {}).add();
  const auto answer = get("/metrics");
  BOOST_TEST(answer.content_type == "text/plain; version=0.0.4; charset=utf-8");
  BOOST_TEST(answer.body.find("holdfast_test_total 1\n") != std::string::npos);
  BOOST_TEST(answer.body.find("holdfast_payments{status=\"authorized\",currency=\"EUR\"} 3\n")
             != std::string::npos);
  BOOST_TEST(answer.body.find("front_metric 1\n") != std::string::npos);
  BOOST_TEST(get("/metrics").body == answer.body);
  BOOST_TEST(store.status_counts == 1);
  now += milliseconds{limits::status_count_age_ms_max};
  store.down = true;
  BOOST_TEST(get("/metrics").body == answer.body);
  BOOST_TEST(store.status_counts == 2);
}

BOOST_AUTO_TEST_CASE(cuts_off_and_says_what_is_left) {
  front.cutoff_answer.complete = true;
  front.cutoff_answer.batches = 2;
  const auto done = post("/admin/v1/cutoff", R"({"settle":true})");
  BOOST_TEST(done.status == 200);
  BOOST_TEST(boost::json::parse(done.body).at("batches").as_int64() == 2);
  front.cutoff_answer.complete = false;
  front.cutoff_answer.detail = "one report is due";
  const auto open = post("/admin/v1/cutoff");
  BOOST_TEST(open.status == 202);
  BOOST_TEST(text_at(open, "detail") == "one report is due");
  BOOST_TEST(text_at(post("/admin/v1/cutoff", R"({"merchant":"x"})"), "param") == "merchant");
}

BOOST_AUTO_TEST_CASE(trips_and_resets_breakers) {
  const auto body = R"({"for":"10m","note":"their maintenance","by":"ada"})";
  const auto tripped = post("/admin/v1/gateways/alpha/trip", body);
  BOOST_TEST(tripped.status == 200);
  BOOST_TEST(text_at(tripped, "breaker") == "open");
  BOOST_TEST(text_at(tripped, "reason") == "tripped by ada: their maintenance");
  BOOST_TEST(text_at(tripped, "by") == "ada");
  BOOST_TEST(text_at(tripped, "since") == to_rfc3339(now));
  BOOST_TEST(text_at(tripped, "until") == to_rfc3339(now + std::chrono::minutes{10}));
  const auto row = boost::json::parse(get("/admin/v1/gateways").body).at("data").at(0);
  BOOST_TEST(row.at("trips").at("by_hand").as_int64() == 1);
  BOOST_TEST(row.at("not_sent").at("retry_budget").as_int64() == 0);
  const auto reset = post("/admin/v1/gateways/alpha/reset");
  BOOST_TEST(text_at(reset, "breaker") == "closed");
  BOOST_TEST(text_at(reset, "reason") == "reset by an operator");
  BOOST_TEST(boost::json::parse(reset.body).at("until").is_null());
}

BOOST_AUTO_TEST_CASE(checks_orders_to_breakers) {
  const auto trip = "/admin/v1/gateways/alpha/trip";
  for (const auto* duration : {"10", "-1s", "0s", "40d", "soon", ""})
    BOOST_TEST(
      text_at(post(trip, R"({"for":")" + std::string{duration} + "\"}"), "param") == "for",
      duration);
  BOOST_TEST(text_at(post(trip, R"({"fro":"1m"})"), "code") == "unknown_field");
  BOOST_TEST(text_at(post(trip, R"({"note":")" + std::string(201, 'x') + "\"}"), "param")
             == "note");
  BOOST_TEST(text_at(post("/admin/v1/gateways/alpha/reset", R"({"for":"1m"})"), "param")
             == "for");
  BOOST_TEST(post("/admin/v1/gateways/omega/trip").status == 404);
  BOOST_TEST(post("/admin/v1/gateways/omega/reset").status == 404);
  BOOST_TEST((front.gate.state(test_now) == gateways::breaker_state::closed));
}

BOOST_AUTO_TEST_CASE(shows_and_reloads_routes) {
  const auto shown = boost::json::parse(get("/admin/v1/routes").body);
  BOOST_TEST(shown.at("generation").as_int64() == 1);
  BOOST_TEST(shown.at("loaded_at").as_string() == to_rfc3339(test_now));
  const auto route = shown.at("data").at(0);
  BOOST_TEST(route.at("currency").at(0).as_string() == "EUR");
  BOOST_TEST(route.at("merchant").at(0).as_string() == "*");
  BOOST_TEST(route.at("weights").at(1).as_int64() == 30);
  BOOST_TEST(
    boost::json::parse(post("/admin/v1/routes/reload").body).at("generation").as_int64() == 2);
  mistake_in_file = "node.toml:7: [[routes]] gateways: is missing";
  const auto refused = post("/admin/v1/routes/reload");
  BOOST_TEST(refused.status == 422);
  BOOST_TEST(text_at(refused, "code") == "invalid_configuration");
  BOOST_TEST(text_at(refused, "detail") == mistake_in_file);
  BOOST_TEST(boost::json::parse(get("/admin/v1/routes").body).at("generation").as_int64() == 2);
}

BOOST_AUTO_TEST_CASE(answers_every_list_and_report) {
  for (const auto* path : {"/admin/v1/nodes", "/admin/v1/shards", "/admin/v1/gateways",
                           "/admin/v1/routes", "/admin/v1/batches", "/admin/v1/exceptions",
                           "/admin/v1/ledger/balances", "/admin/v1/ledger/verify",
                           "/admin/v1/statement", "/admin/v1/merchants", "/admin/v1/keys"}) {
    const auto answer = get(path);
    BOOST_TEST(answer.status == 200, "path: " << path);
    BOOST_TEST(boost::json::parse(answer.body).is_object());
    BOOST_TEST(header_of(answer, "x-route") == path);
    store.down = true;
    const auto failed = get(path).status;
    const bool from_memory = std::string_view{path} == "/admin/v1/nodes"
                             || std::string_view{path} == "/admin/v1/shards"
                             || std::string_view{path} == "/admin/v1/gateways"
                             || std::string_view{path} == "/admin/v1/routes";
    BOOST_TEST(failed == (from_memory ? 200 : 503), "path: " << path);
    store.down = false;
  }
  BOOST_TEST(get("/admin/v1/payments/pay_1").status == 404);
  BOOST_TEST(get("/admin/v1/batches/bat_1").status == 404);
  BOOST_TEST(get("/admin/v1/batches/bat_1/items").status == 404);
  BOOST_TEST(get("/admin/v1/nothing").content_type == problem_content_type);
}

BOOST_AUTO_TEST_CASE(exports_the_ledger_page_by_page) {
  storage::entry_view entry;
  entry.shard = shard_number{3};
  entry.seq = sequence_number{7};
  entry.leg = 1;
  entry.where = {account_kind::acquirer_cash, "first", currency::parse("EUR").value()};
  store.entries = {{entry}, true};
  const auto all = get("/admin/v1/ledger/export", {{"limit", "5000"}});
  BOOST_TEST(all.content_type == "application/x-ndjson");
  BOOST_TEST(!store.last_export.first);
  BOOST_TEST(store.last_export.second.limit == limits::export_rows_max);
  const auto last = entry_id{entry.shard, entry.seq, entry.leg}.text();
  BOOST_TEST(header_of(all, "Link")
             == "</admin/v1/ledger/export?starting_after=" + last
                  + "&limit=5000>; rel=\"next\"");

  store.entries.has_more = false;
  const auto merchant = test_merchant(1);
  const auto csv =
    get("/admin/v1/ledger/export",
        {{"merchant", merchant.text()}, {"format", "csv"}, {"starting_after", last}});
  BOOST_TEST(csv.body.starts_with("id,event,"));
  BOOST_TEST(header_of(csv, "Link").empty());
  BOOST_TEST((store.last_export.first == merchant));
  BOOST_TEST(store.last_export.second.starting_after == last);
  BOOST_TEST(get("/admin/v1/ledger/export", {{"limit", "5001"}}).status == 400);
  BOOST_TEST(get("/admin/v1/ledger/export", {{"merchant", "x"}}).status == 400);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
