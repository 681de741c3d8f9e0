// The operators' routes about exceptions, refused batches and dead letters: what is read, what
// is handed on, and how the owner's words come back.
#include "runtime/api/admin_api.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

namespace holdfast::api {

namespace {

struct fixture {
  fake_store store;
  fake_front front;
  key_ring keys{store, secret{test_pepper}, run_at_once, one_database};
  telemetry::registry metrics;
  routing routes{{}, test_now};
  admin_api api{
    store, front, keys, metrics,
    admin_options{.now = [] { return test_now; },
                  .random = [] { return std::uint64_t{7}; },
                  .fold = [](const auto&) -> expected<payment> { return payment{}; },
                  .routes = &routes,
                  .reload_routes = [] { return expected<void>{}; }}};
  exception_id id = exception_id::make(test_now, shard_number{3}, 1);

  fixture() {
    storage::exception_view view;
    view.id = id;
    view.kind = "duplicate_line";
    view.status = "open";
    view.merchant = test_merchant(1);
    view.unit = *currency::parse("EUR");
    view.posted_unit = view.unit;
    view.posted_amount = minor_units{985};
    view.opened_at = test_now - std::chrono::hours{3};
    view.owner = "ada";
    store.exceptions[id] = view;
    front.order_answer = id;
  }

  http::response send(std::string method, std::string path, std::string body = {},
                      std::vector<std::pair<std::string, std::string>> query = {}) {
    http::request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    if (!body.empty())
      request.headers.emplace_back("content-type", "application/json");
    request.body = std::move(body);
    std::vector<http::response> answers;
    api.handle(std::move(request), [&](http::response answer) { answers.push_back(answer); });
    BOOST_REQUIRE(answers.size() == 1U);
    return answers.front();
  }

  std::string path(std::string_view verb = {}) const {
    return "/admin/v1/exceptions/" + id.text() + std::string{verb};
  }
};

std::string text_at(const http::response& answer, std::string_view member) {
  return std::string{boost::json::parse(answer.body).at(member).as_string()};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(admin_exceptions, fixture)

BOOST_AUTO_TEST_CASE(shows_age_owner_suspense_and_the_ways_out) {
  const auto answer = send("GET", path());
  BOOST_TEST(answer.status == 200);
  const auto shown = boost::json::parse(answer.body);
  BOOST_TEST(shown.at("age_seconds").as_int64() == 3 * 3'600);
  BOOST_TEST(shown.at("suspense_amount").as_int64() == 985);
  BOOST_TEST(shown.at("owner").as_string() == "ada");
  BOOST_TEST(shown.at("resolution").is_null());
  BOOST_TEST(shown.at("resolutions").as_array().size() == 2U);
  store.exceptions.clear();
  BOOST_TEST(send("GET", path()).status == 404);
}

BOOST_AUTO_TEST_CASE(lists_by_class_status_and_merchant) {
  const auto merchant = test_merchant(1).text();
  const auto listed =
    send("GET", "/admin/v1/exceptions", {},
         {{"class", "duplicate_line"}, {"status", "open"}, {"merchant", merchant}});
  BOOST_TEST(listed.status == 200);
  BOOST_TEST(store.last_exceptions.kind == "duplicate_line");
  BOOST_TEST(store.last_exceptions.status == "open");
  BOOST_TEST((store.last_exceptions.merchant == test_merchant(1)));
  BOOST_TEST(send("GET", "/admin/v1/exceptions", {}, {{"status", "x"}}).status == 400);
}

BOOST_AUTO_TEST_CASE(hands_a_resolution_to_its_owner) {
  const auto done = send("POST", path("/resolve"),
                         R"({"resolution":"adjust","note":"agreed","amount":7,"by":"ada"})");
  BOOST_TEST(done.status == 200);
  BOOST_REQUIRE(front.orders.size() == 1U);
  const auto& order = front.orders.front();
  BOOST_TEST((order.verb == order_verb::resolve));
  BOOST_TEST((order.exception == id));
  BOOST_TEST(order.resolution == "adjust");
  BOOST_TEST(order.by == "ada");
  BOOST_TEST((order.amount == minor_units{7}));
  for (const auto* body : {R"({"resolution":"adjust"})", R"({"note":"x"})",
                           R"({"resolution":"adjust","note":"x","amount":-1})",
                           R"({"resolution":"adjust","note":"x","more":1})"})
    BOOST_TEST(send("POST", path("/resolve"), body).status == 400, body);
  BOOST_TEST(front.orders.size() == 1U);
}

BOOST_AUTO_TEST_CASE(tells_the_owners_refusal_in_its_own_words) {
  const std::pair<errc, int> refusals[] = {{errc::not_found, 404},
                                           {errc::invalid_argument, 422},
                                           {errc::invalid_state, 409},
                                           {errc::unavailable, 503},
                                           {errc::unknown_outcome, 504}};
  for (const auto& [code, status] : refusals) {
    front.order_answer = make_error(code, "Because of this.");
    const auto answer = send("POST", path("/resolve"), R"({"resolution":"adjust","note":"x"})");
    BOOST_TEST(answer.status == status);
    BOOST_TEST(text_at(answer, "detail") == "Because of this.");
  }
}

BOOST_AUTO_TEST_CASE(assigns_resubmits_and_replays) {
  BOOST_TEST(send("POST", path("/assign"), R"({"owner":"bob","note":"n"})").status == 200);
  BOOST_TEST(front.orders.back().owner == "bob");
  BOOST_TEST(send("POST", path("/assign"), R"({"note":"n"})").status == 400);
  const auto batch = batch_id::make(test_now, shard_number{3}, 2);
  BOOST_TEST(send("POST", "/admin/v1/batches/" + batch.text() + "/resubmit").status == 200);
  BOOST_TEST((front.orders.back().verb == order_verb::resubmit_batch));
  BOOST_TEST((front.orders.back().batch == batch));
  const auto letter = dead_letter_id::make(test_now, shard_number{3}, 3);
  const auto replay = "/admin/v1/dead_letters/" + letter.text() + "/replay";
  BOOST_TEST(send("POST", replay).status == 404); // The fake keeps none.
  BOOST_TEST((front.orders.back().verb == order_verb::replay));
  BOOST_TEST((front.orders.back().letter == letter));
  BOOST_TEST(send("GET", "/admin/v1/dead_letters").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
