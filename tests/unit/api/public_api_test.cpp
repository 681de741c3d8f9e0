#include "runtime/api/public_api.hpp"

#include "messages/feed_cursor.hpp"
#include "messages/problem.hpp"
#include "runtime/api/idempotency.hpp"
#include "runtime/api/openapi.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

constexpr std::string_view good_body =
  R"({"amount":1000,"currency":"EUR","capture":"manual","payment_method":{"card":)"
  R"({"number":"4242424242424242","exp_month":12,"exp_year":2030,"cvc":"123"}}})";

struct fixture {
  fake_store store;
  fake_front front;
  key_ring keys{store, secret{test_pepper}, run_at_once, one_database};
  routing routes{{{.currency = {"EUR"}, .gateways = {"alpha", "beta"}, .acquirer = "x"}}};
  timestamp now = test_now;
  std::uint32_t requests_per_second = 0;
  std::optional<public_api> api;
  merchant_id merchant = test_merchant(1);
  std::string key = add_merchant(store, keys, merchant);

  http::response send(http::request request) {
    if (!api)
      api.emplace(store, front, keys, routes,
                  public_options{.requests_per_second = requests_per_second,
                                 .now = [this] { return now; }});
    request.request_id = "req_1";
    std::vector<http::response> answers;
    api->handle(std::move(request), [&](http::response answer) { answers.push_back(answer); });
    BOOST_REQUIRE(answers.size() == 1U);
    BOOST_TEST(header_of(answers.front(), "x-route") != "");
    return answers.front();
  }

  http::response get(std::string path,
                     std::vector<std::pair<std::string, std::string>> query = {}) {
    http::request request;
    request.method = "GET";
    request.path = std::move(path);
    request.query = std::move(query);
    request.headers = {{"authorization", "Bearer " + key}};
    return send(std::move(request));
  }

  http::response post(std::string path, std::string body, http::header_list more = {}) {
    http::request request;
    request.method = "POST";
    request.path = std::move(path);
    request.body = std::move(body);
    request.headers = {{"authorization", "Bearer " + key},
                       {"content-type", "application/json"},
                       {"idempotency-key", "key-1"}};
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    return send(std::move(request));
  }

  payment_id add_payment(merchant_id owner) {
    storage::payment_view view;
    view.row.id = payment_id::make(test_now, shard_number{3}, store.payments.size() + 1);
    view.row.merchant = owner;
    view.row.unit = currency::parse("EUR").value();
    view.row.amount = minor_units{1'000};
    store.payments.emplace(view.row.id, view);
    return view.row.id;
  }
};

std::string code_of(const http::response& answer) {
  BOOST_TEST(answer.content_type == problem_content_type);
  const auto document = boost::json::parse(answer.body);
  BOOST_TEST(document.at("status").to_number<int>() == answer.status);
  BOOST_TEST(document.at("request_id").as_string() == "req_1");
  return std::string{document.at("code").as_string()};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(api_public, fixture)

BOOST_AUTO_TEST_CASE(hands_a_checked_payment_to_the_front) {
  const auto answer =
    post("/v1/payments", std::string{good_body},
         {{"prefer", "wait=3"},
          {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}});
  BOOST_TEST(answer.status == 201);
  BOOST_TEST(header_of(answer, "Location") == "/v1/payments/pay_1");
  BOOST_TEST(header_of(answer, "Preference-Applied") == "wait=3");
  BOOST_TEST(header_of(answer, "x-route") == "/v1/payments");
  BOOST_TEST(header_of(answer, "Idempotent-Replayed") == "");
  BOOST_REQUIRE(front.submitted.size() == 1U);
  const auto& command = front.submitted.front();
  BOOST_TEST((command.merchant == merchant));
  BOOST_TEST(command.stripes == 4);
  BOOST_TEST(command.idempotency_key == "key-1");
  BOOST_TEST((command.request == fingerprint_of("POST", "/v1/payments", good_body)));
  BOOST_TEST(command.wait.count() == 3'000);
  BOOST_TEST(command.traceparent.size() == 55U);
  BOOST_TEST(std::get<create_payment>(command.action).path.gateways.size() == 2U);
  BOOST_TEST(!command.refusal_if_new);
}

BOOST_AUTO_TEST_CASE(shows_replays_and_waits_as_headers) {
  front.reply.replayed = true;
  front.reply.retry_after_s = 2;
  const auto answer =
    post("/v1/payments", std::string{good_body}, {{"traceparent", "rubbish"}});
  BOOST_TEST(header_of(answer, "Idempotent-Replayed") == "true");
  BOOST_TEST(header_of(answer, "Retry-After") == "2");
  BOOST_TEST(front.submitted.front().traceparent == "");
}

BOOST_AUTO_TEST_CASE(hands_changes_of_a_payment_to_the_front) {
  const auto id = payment_id::make(test_now, shard_number{3}, 1);
  const auto path = "/v1/payments/" + id.text();
  BOOST_TEST(post(path + "/capture", R"({"amount":5})").status == 201);
  BOOST_TEST(post(path + "/void", "").status == 201);
  BOOST_TEST(post(path + "/refunds", "").status == 201);
  BOOST_REQUIRE(front.submitted.size() == 3U);
  BOOST_TEST((std::get<capture_payment>(front.submitted[0].action).payment == id));
  BOOST_TEST((std::get<void_payment>(front.submitted[1].action).payment == id));
  BOOST_TEST((std::get<refund_payment>(front.submitted[2].action).payment == id));
}

BOOST_AUTO_TEST_CASE(checks_the_envelope_before_the_body) {
  http::request request;
  request.method = "POST";
  request.path = "/v1/payments";
  request.body = "not json";
  auto answer = send(request);
  BOOST_TEST(answer.status == 401);
  BOOST_TEST(header_of(answer, "WWW-Authenticate") == R"(Bearer realm="holdfast")");
  BOOST_TEST(code_of(answer) == "authentication_required");
  request.headers.emplace_back("authorization", "Bearer " + key);
  BOOST_TEST(code_of(send(request)) == "idempotency_key_missing");
  request.headers.emplace_back("idempotency-key", "k");
  answer = send(request);
  BOOST_TEST(answer.status == 415);
  BOOST_TEST(code_of(answer) == "unsupported_media_type");
  request.headers.emplace_back("content-type", "application/json");
  answer = send(request);
  BOOST_TEST(answer.status == 400);
  BOOST_TEST(code_of(answer) == "invalid_json");
  BOOST_TEST(front.submitted.empty());
}

BOOST_AUTO_TEST_CASE(refuses_a_key_that_is_not_known) {
  key = "hf_test_unknown";
  const auto answer = get("/v1/payments");
  BOOST_TEST(answer.status == 401);
  BOOST_TEST(code_of(answer) == "invalid_api_key");
  BOOST_TEST(header_of(answer, "WWW-Authenticate").find("invalid_token") != std::string::npos);
  BOOST_TEST(answer.body.find("hf_test") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(says_that_it_cannot_look_rather_than_no) {
  store.down = true;
  const auto answer = get("/v1/payments");
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(header_of(answer, "Retry-After") == "1");
  BOOST_TEST(code_of(answer) == "storage_unavailable");
}

// A request that was right when it came is answered from its key, whatever the time or the
// configuration say by now. Only the shard knows whether the key is new.
BOOST_AUTO_TEST_CASE(leaves_refusals_that_may_change_to_the_owner_of_the_key) {
  std::string unrouted{good_body};
  unrouted.replace(unrouted.find("EUR"), 3, "USD");
  BOOST_TEST(post("/v1/payments", unrouted).status == 201);
  now = test_now + std::chrono::years{5};
  BOOST_TEST(post("/v1/payments", std::string{good_body}).status == 201);
  BOOST_TEST(post("/v1/payments", unrouted).status == 201);
  BOOST_REQUIRE(front.submitted.size() == 3U);
  std::vector<std::string> codes;
  for (const auto& command : front.submitted) {
    BOOST_REQUIRE(command.refusal_if_new.has_value());
    const auto& refused = *command.refusal_if_new;
    BOOST_TEST(refused.content_type == problem_content_type);
    const auto document = boost::json::parse(refused.body);
    BOOST_TEST(document.at("status").to_number<int>() == refused.status);
    BOOST_TEST(document.at("instance").as_string() == "/v1/payments");
    codes.emplace_back(document.at("code").as_string());
  }
  BOOST_TEST(
    codes == (std::vector<std::string>{"no_route", "invalid_expiry", "invalid_expiry"}),
    boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(tells_unknown_paths_and_methods) {
  BOOST_TEST(code_of(get("/v1/nothing")) == "not_found");
  BOOST_TEST(code_of(post("/webhooks/sandbox", "{}")) == "not_found");
  http::request request;
  request.method = "DELETE";
  request.path = "/v1/payments";
  const auto answer = send(request);
  BOOST_TEST(answer.status == 405);
  BOOST_TEST(header_of(answer, "Allow") == "POST, GET");
  BOOST_TEST(code_of(answer) == "method_not_allowed");
}

BOOST_AUTO_TEST_CASE(hides_what_belongs_to_another_merchant) {
  const auto mine = add_payment(merchant);
  const auto foreign = add_payment(test_merchant(2));
  BOOST_TEST(get("/v1/payments/" + mine.text()).status == 200);
  BOOST_TEST(get("/v1/payments/" + mine.text() + "/timeline").status == 200);
  const auto absent = payment_id::make(test_now, shard_number{3}, 99);
  const auto of_foreign = get("/v1/payments/" + foreign.text());
  BOOST_TEST(of_foreign.status == 404);
  BOOST_TEST(code_of(of_foreign) == "not_found");
  BOOST_TEST(get("/v1/payments/" + foreign.text() + "/timeline").status == 404);
  BOOST_TEST(get("/v1/payments/" + absent.text()).status == 404);

  storage::batch_view batch;
  batch.id = batch_id::make(test_now, shard_number{3}, 1);
  batch.merchant = test_merchant(2);
  store.batches.emplace(batch.id, batch);
  for (const auto* part : {"", "/items"})
    BOOST_TEST(get("/v1/batches/" + batch.id.text() + part).status == 404);
}

BOOST_AUTO_TEST_CASE(tells_ids_that_cannot_be) {
  for (const auto* path :
       {"/v1/payments/x", "/v1/payments/ref_00000000000000000000000000000000",
        "/v1/refunds/pay_1", "/v1/batches/1", "/v1/payments/pay_1/timeline"}) {
    const auto answer = get(path);
    BOOST_TEST(answer.status == 404, "path: " << path);
    BOOST_TEST(code_of(answer) == "not_found");
  }
  BOOST_TEST(post("/v1/payments/pay_1/void", "").status == 404);
  const auto beyond = payment_id::make(test_now, shard_number{32}, 1);
  BOOST_TEST(post("/v1/payments/" + beyond.text() + "/void", "").status == 404);
  BOOST_TEST(front.submitted.empty());
}

BOOST_AUTO_TEST_CASE(lists_with_filters_and_cursor) {
  const auto id = add_payment(merchant);
  const auto answer =
    get("/v1/payments", {{"status", "captured"}, {"reference", "r"}, {"limit", "2"}});
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(store.last_filter.status == "captured");
  BOOST_TEST(store.last_filter.reference == "r");
  BOOST_TEST(store.last_filter.window.limit == 2U);
  const auto list = boost::json::parse(answer.body);
  BOOST_TEST(list.at("object").as_string() == "list");
  BOOST_TEST(list.at("url").as_string() == "/v1/payments");
  BOOST_TEST(list.at("has_more").as_bool() == false);
  BOOST_TEST(list.at("data").as_array().at(0).at("id").as_string() == id.text());
  const auto refused = get("/v1/payments", {{"status", "lost"}});
  BOOST_TEST(refused.status == 400);
  BOOST_TEST(code_of(refused) == "invalid_parameter");
}

BOOST_AUTO_TEST_CASE(keeps_the_feeds_cursor_at_its_end) {
  const auto next_of = [&](const std::string& after) {
    const auto feed = boost::json::parse(get("/v1/events", {{"after", after}}).body);
    return std::string{feed.at("next").as_string()};
  };
  BOOST_TEST(boost::json::parse(get("/v1/events").body).at("next").is_null());
  // The merchant has four stripes, from shard 3 on.
  BOOST_TEST(store.last_positions.size() == 4U);
  BOOST_TEST((store.last_positions.back().shard == shard_number{6}));
  auto cursor =
    feed_cursor::at_start(shards_of_merchant(merchant.shard(), 4, shard_range{{0}, {31}}));
  cursor.pass(shard_number{5}, sequence_number{5});
  BOOST_TEST(next_of(cursor.text()) == cursor.text());
  storage::event_view event;
  event.shard = shard_number{3};
  event.seq = sequence_number{6};
  event.type = event_type::attempt_started;
  event.payload = "\xFF";
  store.events.rows.push_back(event);
  const auto before = cursor.text();
  cursor.pass(event.shard, event.seq);
  BOOST_TEST(next_of(before) == cursor.text());
  BOOST_TEST((store.last_positions[2].seq == sequence_number{5}));
  const auto feed = boost::json::parse(get("/v1/events").body);
  BOOST_TEST(feed.at("data").as_array().at(0).at("corrupt").as_bool());
  for (const auto& wrong : {std::string{"evt_1"}, event_id_text(event.shard, event.seq)})
    BOOST_TEST(code_of(get("/v1/events", {{"after", wrong}})) == "invalid_parameter");
}

BOOST_AUTO_TEST_CASE(pages_through_the_items_of_a_batch) {
  storage::batch_view batch;
  batch.id = batch_id::make(test_now, shard_number{3}, 1);
  batch.merchant = merchant;
  store.batches.emplace(batch.id, batch);
  storage::batch_item_view item;
  item.operation = capture_id::make(test_now, shard_number{3}, 2).value;
  item.batch = batch.id;
  store.items = {{item}, true};
  const auto path = "/v1/batches/" + batch.id.text();
  const auto id = capture_id{item.operation}.text();
  const auto whole = boost::json::parse(get(path, {{"limit", "1"}}).body);
  BOOST_TEST(store.last_items_window.limit == 1U);
  const auto page = boost::json::parse(get(path + "/items", {{"starting_after", id}}).body);
  BOOST_TEST(store.last_items_window.starting_after == id);
  for (const auto& list : {whole.at("items_data"), page}) {
    BOOST_TEST(list.at("object").as_string() == "list");
    BOOST_TEST(list.at("url").as_string() == path + "/items");
    BOOST_TEST(list.at("has_more").as_bool());
    BOOST_TEST(list.at("data").as_array().at(0).at("id").as_string() == id);
  }
  for (const auto& target : {path, path + "/items"})
    BOOST_TEST(code_of(get(target, {{"starting_after", "pay_1"}})) == "invalid_parameter");
}

BOOST_AUTO_TEST_CASE(shows_balances_as_the_merchant_sees_them) {
  const auto eur = currency::parse("EUR").value();
  const auto balance = [&](account_kind kind, std::int64_t amount) {
    store.balances.push_back({{kind, merchant.text(), eur}, minor_units{amount}});
  };
  balance(account_kind::merchant_pending, -700);
  balance(account_kind::merchant_available, -300);
  balance(account_kind::hold_contra, -50);
  const auto list = boost::json::parse(get("/v1/balances").body);
  const auto& eur_balance = list.at("data").as_array().at(0);
  BOOST_TEST(eur_balance.at("pending").as_int64() == 700);
  BOOST_TEST(eur_balance.at("available").as_int64() == 300);
  BOOST_TEST(eur_balance.at("reserve").as_int64() == 0);
  BOOST_TEST(eur_balance.at("held").as_int64() == 50);
}

BOOST_AUTO_TEST_CASE(slows_a_merchant_down) {
  requests_per_second = 2;
  BOOST_TEST(get("/v1/balances").status == 200);
  BOOST_TEST(get("/v1/balances").status == 200);
  const auto answer = get("/v1/balances");
  BOOST_TEST(answer.status == 429);
  BOOST_TEST(header_of(answer, "Retry-After") == "1");
  BOOST_TEST(code_of(answer) == "rate_limited");
  now += std::chrono::seconds{1};
  BOOST_TEST(get("/v1/balances").status == 200);
}

BOOST_AUTO_TEST_CASE(turns_commands_away_unread_when_the_node_is_full) {
  front.is_full = true;
  for (const char* body : {good_body.data(), "not even JSON"}) {
    const auto answer = post("/v1/payments", body);
    BOOST_TEST(answer.status == 503);
    BOOST_TEST(header_of(answer, "Retry-After") == "1");
    BOOST_TEST(code_of(answer) == "overloaded");
  }
  BOOST_TEST(front.submitted.empty());
  // Who has no key learns nothing, and reading goes on.
  BOOST_TEST(get("/v1/balances").status == 200);
  key += "x";
  BOOST_TEST(post("/v1/payments", std::string{good_body}).status == 401);
}

BOOST_AUTO_TEST_CASE(serves_its_description_to_anyone) {
  key.clear();
  const auto answer = get("/openapi.json");
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.body == render_openapi(public_routes()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
