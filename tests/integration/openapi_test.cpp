// What /openapi.json promises is what the node does: every route and status in it is produced
// by a real request, and every answer is as its schema says. Nothing else is ever answered.
#include "messages/webhook_signature.hpp"
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"
#include "tests/integration/json_schema.hpp"

#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::make_payment;
using test::payment_order;
using test::test_merchant;

namespace {

/// Which documented statuses no honest request can bring about, and why.
const std::map<int, std::string_view> statuses_out_of_reach{
  {429, "dev sets no rate limit; the unit tests of rate_limiter and public_api produce it"},
  {500, "only a fault of ours produces it"},
  {503, "only overload or a database that is away does; the fail-over tests produce it"},
};

std::string lower(std::string_view text) {
  std::string made{text};
  std::transform(made.begin(), made.end(), made.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

/// The document, and what was seen of it.
class contract {
public:
  explicit contract(boost::json::value document) : document_(std::move(document)) {}

  /// Sends the request and holds the answer against what is written of the route and status.
  api_answer send(test::api_client& api, std::string route, http::call request) {
    const auto method = lower(request.method);
    auto answer = api.send(std::move(request));
    const auto status = std::to_string(answer.status);
    BOOST_TEST_CONTEXT(method << ' ' << route << " -> " << status << ' ' << answer.body) {
      const auto* operation = at("/paths/" + escaped(route) + '/' + method);
      BOOST_TEST_REQUIRE((operation != nullptr), "the route is not documented");
      const auto* response =
        at("/paths/" + escaped(route) + '/' + method + "/responses/" + status);
      BOOST_TEST_REQUIRE((response != nullptr), "the status is not documented");
      seen_.insert({method + ' ' + route, answer.status});
      check_body(answer, *response);
      check_headers(answer);
    }
    return answer;
  }

  /// Every route, status by status, that is documented but was not seen nor is out of reach.
  void check_that_all_was_seen() const {
    std::set<int> excused;
    for (const auto& [path, methods] : document_.at("paths").as_object())
      for (const auto& [method, operation] : methods.as_object())
        for (const auto& [status, response] : operation.at("responses").as_object()) {
          const int code = std::stoi(std::string{status});
          const auto route = std::string{method} + ' ' + std::string{path};
          if (statuses_out_of_reach.contains(code))
            excused.insert(code);
          else
            BOOST_TEST(seen_.contains({route, code}),
                       route << " is said to answer " << code << ", and never did");
        }
    BOOST_TEST(excused.size() == statuses_out_of_reach.size());
  }

  [[nodiscard]] const boost::json::value& document() const noexcept { return document_; }

private:
  static std::string escaped(std::string_view path) {
    std::string text;
    for (const char c : path)
      text += c == '/' ? std::string{"~1"} : std::string{c};
    return text;
  }

  const boost::json::value* at(const std::string& pointer) const {
    boost::system::error_code absent;
    return document_.find_pointer(pointer, absent);
  }

  void check_body(const api_answer& answer, const boost::json::value& response) const {
    const auto& content = response.at("content").as_object();
    const auto* typed = content.if_contains(answer.header("content-type"));
    BOOST_TEST_REQUIRE((typed != nullptr), answer.header("content-type")
                                             << " is not documented");
    for (const auto& finding :
         test::schema_findings(answer.document, typed->at("schema"), document_))
      BOOST_TEST(finding.empty(), finding);
  }

  static void check_headers(const api_answer& answer) {
    BOOST_TEST(!answer.header("request-id").empty());
    if (answer.status == 202 || answer.status == 201)
      BOOST_TEST(!answer.header("location").empty());
    if (answer.status == 401)
      BOOST_TEST(!answer.header("www-authenticate").empty());
    if (answer.status >= 400)
      BOOST_TEST(answer.number("/status") == answer.status);
  }

  boost::json::value document_;
  std::set<std::pair<std::string, int>> seen_;
};

/// The requests that produce, route by route, all that is documented.
class tour {
public:
  tour(dev_suite& suite, contract& told)
    : suite_(suite),
      told_(told),
      merchant_(suite.new_merchant()),
      api_(*merchant_.api),
      nobody_(suite.node().http(), "hf_test_unknown") {}

  void create_payments() {
    const std::string route = "/v1/payments";
    const auto order = payment_order{}.body();
    const auto key = test::fresh_key();
    see(201, route, api_.make_post(route, order, key));
    see(422, route, api_.make_post(route, payment_order{.amount = 7}.body(), key));
    see(202, route, asynchronous(api_.make_post(route, order)));
    see(402, route, api_.make_post(route, payment_order{.card = "4000000000000002"}.body()));
    see(201, route, api_.make_post(route, payment_order{.token = "tok_visa"}.body()));
    see_refused_envelopes(route, route);

    // A slow gateway keeps the first request running.
    const auto slow_key = test::fresh_key();
    const auto slow = payment_order{.amount = 1'054, .further = R"("reference":"slow")"}.body();
    auto first = api_.begin(api_.make_post(route, slow, slow_key));
    BOOST_TEST_REQUIRE(test::eventually(milliseconds{10'000}, [&] {
      return api_.get("/v1/payments?reference=slow").has("/data/0");
    }));
    see(409, route, api_.make_post(route, slow, slow_key));
    expect(first.get(), 201);
  }

  void change_payments() {
    see_changes("/capture", 200, [&] { return make_payment(api_, {}); });
    see_changes("/void", 200, [&] { return make_payment(api_, {}); });
    see_changes("/refunds", 201, [&] { return make_payment(api_, {.capture = "automatic"}); });
    // 409: not in this state.
    const auto voided = make_payment(api_, {});
    expect(api_.post("/v1/payments/" + voided + "/void"), 200);
    for (const auto* action : {"/capture", "/void", "/refunds"})
      see(409, std::string{"/v1/payments/{id}"} + action,
          api_.make_post("/v1/payments/" + voided + action));
    see_what_the_gateway_refuses();
  }

  /// Notices of the gateway, and the dispute that they open.
  void hear_gateways() {
    const std::string route = "/webhooks/{gateway}";
    const std::string target = "/webhooks/alder";
    const auto id = make_payment(api_, {.capture = "automatic"});
    const auto opened = dispute_notice(id, "dispute.opened");
    see(200, route, signed_post(target, opened));
    see(400, route, signed_post(target, "{"));
    see(404, route, signed_post("/webhooks/none", opened));
    see(413, route, signed_post(target, std::string(512 * 1024, ' ')));
    auto text = signed_post(target, opened);
    text.headers.front().second = "text/plain";
    see(415, route, std::move(text));
    dispute_ = api_.get("/v1/disputes").text("/data/0/id");
    note_evidence();
    see(200, route, signed_post(target, dispute_notice(id, "dispute.lost")));
    see(409, "/v1/disputes/{id}/evidence",
        api_.make_post("/v1/disputes/" + dispute_ + "/evidence", R"({"note":"late"})"));
  }

  void read_objects() {
    const auto id = make_payment(api_, {.capture = "automatic"});
    const auto refund = api_.post("/v1/payments/" + id + "/refunds", R"({"amount":1})");
    expect(refund, 201);
    expect(suite_.admin().post("/admin/v1/cutoff",
                               R"({"settle":true,"merchant":")" + merchant_.id + R"("})"),
           200);
    const auto batch = api_.get("/v1/batches").text("/data/0/id");
    see_object("/v1/payments/{id}", id, "pay_");
    see_object("/v1/payments/{id}/timeline", id, "pay_");
    see_object("/v1/refunds/{id}", refund.text("/id"), "ref_");
    for (const std::string route : {"/v1/batches/{id}", "/v1/batches/{id}/items"}) {
      see_object(route, batch, "bat_");
      see(400, route, api_.make_get(with_id(route, batch) + "?limit=0"));
    }
    see_object("/v1/disputes/{id}", dispute_, "dsp_");
  }

  void read_lists() {
    for (const std::string route :
         {"/v1/payments", "/v1/ledger/entries", "/v1/batches", "/v1/disputes", "/v1/events"}) {
      const auto list = see(200, route, api_.make_get(route + "?limit=100"));
      BOOST_TEST(list.has("/data/0"), route << " has nothing to look at");
      see(400, route, api_.make_get(route + "?limit=0"));
      see(401, route, nobody_.make_get(route));
    }
    see(200, "/v1/balances", api_.make_get("/v1/balances"));
    see(401, "/v1/balances", nobody_.make_get("/v1/balances"));
    see(200, "/openapi.json", api_.make_get("/openapi.json"));
  }

private:
  api_answer see(int status, const std::string& route, http::call request) {
    const auto what = request.method + ' ' + request.target;
    auto answer = told_.send(api_, route, std::move(request));
    BOOST_TEST(answer.status == status, what << ": expected " << status << ", got "
                                             << answer.status << ' ' << answer.body);
    return answer;
  }

  static http::call asynchronous(http::call request) {
    request.headers.emplace_back("Prefer", "respond-async");
    return request;
  }

  /// What is refused before anybody looks at the payment.
  void see_refused_envelopes(const std::string& route, const std::string& target) {
    see(400, route, api_.make_post(target, "{"));
    see(401, route, nobody_.make_post(target, "{}"));
    see(413, route, api_.make_post(target, std::string(512 * 1024, ' ')));
    auto text = api_.make_post(target, "{}");
    text.headers.back().second = "text/plain";
    see(415, route, std::move(text));
  }

  /// Of a POST about a payment, which `prepare` makes.
  template <class Prepare>
  void see_changes(const std::string& action, int done, Prepare prepare) {
    const auto route = "/v1/payments/{id}" + action;
    const auto target = "/v1/payments/" + prepare() + action;
    const auto key = test::fresh_key();
    see(done, route, api_.make_post(target, {}, key));
    const auto another = "/v1/payments/" + prepare() + action;
    see(422, route, api_.make_post(another, {}, key));
    see(202, route, asynchronous(api_.make_post(another)));
    see(404, route, api_.make_post("/v1/payments/pay_" + std::string(32, '0') + action));
    see_refused_envelopes(route, target);
  }

  void note_evidence() {
    const std::string route = "/v1/disputes/{id}/evidence";
    const auto target = "/v1/disputes/" + dispute_ + "/evidence";
    const std::string note = R"({"note":"Delivered."})";
    const auto key = test::fresh_key();
    see(200, route, api_.make_post(target, note, key));
    see(422, route, api_.make_post(target, R"({"note":"Something else."})", key));
    see(404, route,
        api_.make_post("/v1/disputes/dsp_" + std::string(32, '0') + "/evidence", note));
    see_refused_envelopes(route, target);
  }

  static std::string dispute_notice(const std::string& payment, std::string_view type) {
    return R"({"id":")" + payment + std::string{type} + R"(","type":")" + std::string{type}
           + R"(","created_at":"2026-11-23T12:00:00Z","data":{"reference":")" + payment
           + R"(.1","amount":100,"currency":"EUR","dispute":{"id":"cb","fee":1}}})";
  }

  http::call signed_post(std::string target, std::string body) {
    http::call request;
    request.target = std::move(target);
    request.headers = {
      {"Content-Type", "application/json"},
      {"Webhook-Signature",
       sign_webhook(body, secret{suite_.node().webhook_secret()}, wall_clock_now())}};
    request.body = std::move(body);
    return request;
  }

  /// 402: somebody has gone to the gateway behind our back.
  void see_what_the_gateway_refuses() {
    const auto held = make_payment(api_, {});
    act_at_gateway(held, "/reverse", "{}");
    see(402, "/v1/payments/{id}/capture", api_.make_post("/v1/payments/" + held + "/capture"));
    const auto taken = make_payment(api_, {});
    act_at_gateway(taken, "/capture", R"({"operation_reference":"x-1","amount":1000})");
    see(402, "/v1/payments/{id}/void", api_.make_post("/v1/payments/" + taken + "/void"));
    const auto paid = make_payment(api_, {.capture = "automatic"});
    act_at_gateway(paid, "/refund", R"({"operation_reference":"x-2","amount":1000})");
    see(402, "/v1/payments/{id}/refunds", api_.make_post("/v1/payments/" + paid + "/refunds"));
  }

  void act_at_gateway(const std::string& payment, const std::string& what, std::string body) {
    const auto gateway = api_.get("/v1/payments/" + payment).text("/gateway");
    expect(
      suite_.sandbox().post("/gateway/" + gateway + "/authorizations/" + payment + ".1" + what,
                            std::move(body)),
      200);
  }

  void see_object(const std::string& route, const std::string& id, const std::string& prefix) {
    see(200, route, api_.make_get(with_id(route, id)));
    see(401, route, nobody_.make_get(with_id(route, id)));
    see(404, route, api_.make_get(with_id(route, prefix + std::string(32, '0'))));
  }

  static std::string with_id(std::string route, const std::string& id) {
    return route.replace(route.find("{id}"), 4, id);
  }

  dev_suite& suite_;
  contract& told_;
  test_merchant merchant_;
  test::api_client& api_;
  test::api_client nobody_;
  std::string dispute_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(openapi, *boost::unit_test::fixture<dev_suite>())

BOOST_AUTO_TEST_CASE(tells_the_truth) {
  auto& suite = dev_suite::here();
  const auto served = suite.api().get("/openapi.json");
  expect(served, 200);
  BOOST_TEST(served.text("/openapi").starts_with("3.1"));
  contract told{served.document};
  tour through{suite, told};
  through.create_payments();
  through.change_payments();
  through.hear_gateways();
  through.read_objects();
  through.read_lists();
  told.check_that_all_was_seen();
}

/// Routes are there: with no credentials they ask for some, and never say 404 or 405.
BOOST_AUTO_TEST_CASE(names_real_routes_only) {
  auto& suite = dev_suite::here();
  test::api_client nobody{suite.node().http()};
  const auto served = nobody.get("/openapi.json");
  expect(served, 200);
  for (const auto& [path, methods] : served.at("/paths").as_object()) {
    auto target = std::string{path};
    if (const auto at = target.find("{id}"); at != std::string::npos)
      target.replace(at, 4, "some");
    // Only its signature tells who is a gateway.
    const bool of_gateways = target == "/webhooks/{gateway}";
    if (of_gateways)
      target = "/webhooks/alder";
    std::string known;
    for (const auto& [method, operation] : methods.as_object()) {
      known += method;
      const auto answer =
        nobody.send(method == "post" ? nobody.make_post(target) : nobody.make_get(target));
      const bool open = operation.as_object().contains("security");
      const int wanted = of_gateways ? 400 : open ? 200 : 401;
      BOOST_TEST(answer.status == wanted, target << ' ' << answer.body);
    }
    // And the other methods are not.
    if (known.find("post") == std::string::npos)
      BOOST_TEST(nobody.post(target).status == 405, target);
    if (known.find("get") == std::string::npos)
      BOOST_TEST(nobody.get(target).status == 405, target);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
