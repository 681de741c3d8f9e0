// Routes and breakers of a running node: reloads under load, trips by hand, and a gateway that
// goes away and comes back. Faults 14 and 16 of the fault list; invariants O and L.
#include "runtime/embedded/folder.hpp"
#include "runtime/routes/table.hpp"
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"
#include "tests/support/process.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <thread>

namespace holdfast {

using test::api_answer;
using test::dev_suite;
using test::expect;
using test::payment_order;

namespace {

constexpr milliseconds patience{60'000};

/// The node's configuration, as it was before this test case and will be after it.
class config_file {
public:
  config_file()
    : path_(dev_suite::here().node().data() / "node-1.toml"),
      original_(embedded::read_file(path_).value()) {}
  ~config_file() {
    try {
      write(original_);
      test::expect(dev_suite::here().admin().post("/admin/v1/routes/reload"), 200);
    } catch (const std::exception& failure) {
      BOOST_ERROR(failure.what());
    }
  }
  config_file(const config_file&) = delete;
  config_file& operator=(const config_file&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  void set_routes(const std::string& routes) {
    const auto begin = original_.find("[[routes]]");
    const auto end = original_.find("\n[settlement]");
    BOOST_REQUIRE(begin != std::string::npos && end != std::string::npos);
    auto text = original_;
    write(text.replace(begin, end - begin, routes));
  }

private:
  void write(const std::string& text) {
    BOOST_REQUIRE(embedded::write_private_file(path_, text));
  }

  std::filesystem::path path_;
  std::string original_;
};

std::string route_to(const std::string& gateways) {
  return "[[routes]]\ngateways = [" + gateways + "]\nacquirer = \"sandbox\"\n";
}

std::int64_t generation() {
  return dev_suite::here().admin().get("/admin/v1/routes").number("/generation");
}

/// SIGHUP to the node, and the new table is in force.
void hang_up() {
  const auto before = generation();
  BOOST_REQUIRE(::kill(dev_suite::here().node().node_pid(), SIGHUP) == 0);
  BOOST_REQUIRE(test::eventually(patience, [&] { return generation() == before + 1; }));
}

test::finished holdfast_with(std::vector<std::string> arguments) {
  static int runs = 0;
  return test::run({test::from_environment("HOLDFAST_BINARY"),
                    std::move(arguments),
                    {{"USER", "ada"},
                     {"SUDO_USER", ""},
                     {"HOLDFAST_KEY_PEPPER", std::string(32, 'p')},
                     {"HOLDFAST_WEBHOOK_SECRET", std::string(32, 'w')}},
                    dev_suite::here().node().data() / ("output-" + std::to_string(++runs))},
                   patience);
}

test::finished ctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"ctl", "--admin", dev_suite::here().node().admin()});
  return holdfast_with(std::move(arguments));
}

boost::json::object gateway(const std::string& name) {
  const auto listed = dev_suite::here().admin().get("/admin/v1/gateways");
  for (const auto& row : listed.at("/data").as_array())
    if (row.at("name").as_string() == name)
      return row.as_object();
  throw std::runtime_error("no gateway " + name + " in " + listed.body);
}

std::string breaker_of(const std::string& name) {
  return std::string{gateway(name).at("breaker").as_string()};
}

api_answer pay(std::int64_t amount = 1'000) {
  return dev_suite::here().api().post("/v1/payments", payment_order{.amount = amount}.body());
}

/// Where the payment went, and why that gateway was asked first.
struct choice {
  std::string gateway;
  std::string reason;
};

choice choice_for(const payment_order& order) {
  auto& api = dev_suite::here().api();
  const auto paid = api.post("/v1/payments", order.body());
  expect(paid, 201);
  const auto story = api.get("/v1/payments/" + paid.text("/id") + "/timeline");
  return {paid.text("/gateway"), story.text("/request/route_reasons/0")};
}

/// Payments, one after the other, from a thread of their own until it is stopped.
class shoppers {
public:
  explicit shoppers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      threads_.emplace_back([this] { shop(); });
  }
  ~shoppers() { stop(); }

  void stop() {
    leaving_ = true;
    for (auto& one : threads_)
      if (one.joinable())
        one.join();
  }
  [[nodiscard]] int paid() const { return paid_; }
  [[nodiscard]] int failed() const { return failed_; }
  [[nodiscard]] std::string last_failure() const { return last_failure_; }

private:
  void shop() {
    while (!leaving_) {
      const auto answer = pay();
      if (answer.status == 201) {
        ++paid_;
      } else {
        ++failed_;
        last_failure_ = answer.body;
      }
    }
  }

  std::atomic<bool> leaving_{false};
  std::atomic<int> paid_{0};
  std::atomic<int> failed_{0};
  std::string last_failure_; ///< read once the threads are gone
  std::vector<std::thread> threads_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(gateways, *boost::unit_test::fixture<test::dev_suite>())

BOOST_AUTO_TEST_CASE(routes_are_reloaded_under_load_without_a_failed_request) {
  config_file file;
  auto& api = dev_suite::here().api();
  const auto key = test::fresh_key();
  const auto body = payment_order{}.body();
  const auto before = api.send(api.make_post("/v1/payments", body, key));
  expect(before, 201);
  BOOST_TEST(before.text("/gateway") == "alder");
  shoppers busy{4};
  for (int round = 0; round < 10; ++round) {
    const bool to_birch = round % 2 == 0;
    file.set_routes(route_to(to_birch ? R"("birch", "alder")" : R"("alder", "birch")"));
    hang_up();
    const auto paid = pay();
    expect(paid, 201);
    BOOST_TEST(paid.text("/gateway") == (to_birch ? "birch" : "alder"));
    // What was answered stays answered, whatever the routes are now.
    const auto again = api.send(api.make_post("/v1/payments", body, key));
    BOOST_TEST(again.body == before.body);
    BOOST_TEST(again.header("idempotent-replayed") == "true");
  }
  busy.stop();
  BOOST_TEST(busy.failed() == 0, busy.last_failure());
  BOOST_TEST(busy.paid() > 10);
}

BOOST_AUTO_TEST_CASE(a_payment_under_way_keeps_the_route_it_was_created_with) {
  config_file file;
  const auto pending = pay(1'051); // charged, but the answer is lost
  const auto id = pending.text("/id");
  file.set_routes(route_to("\"birch\""));
  hang_up();
  const auto ended =
    test::await_status(dev_suite::here().api(), id, {"authorized", "failed", "declined"});
  BOOST_TEST(ended.text("/status") == "authorized");
  BOOST_TEST(ended.text("/gateway") == "alder");
}

BOOST_AUTO_TEST_CASE(a_bad_file_keeps_the_table_and_is_told_with_its_line) {
  config_file file;
  const auto before = generation();
  file.set_routes("[[routes]]\ngateways = [\"elder\"]\nacquirer = \"sandbox\"\n");
  const auto told = ctl({"routes", "reload"});
  BOOST_TEST(!told.succeeded);
  BOOST_TEST(told.ending == "exit code 2");
  BOOST_TEST(told.output.find(file.path().string() + ':') != std::string::npos, told.output);
  BOOST_TEST(told.output.find("[[routes]] gateways: expected the name of a [[gateways]], got "
                              "\"elder\"")
               != std::string::npos,
             told.output);
  BOOST_REQUIRE(::kill(dev_suite::here().node().node_pid(), SIGHUP) == 0);
  const auto log = dev_suite::here().node().data() / "logs" / "node-1.log";
  const auto complaints = [&] {
    const auto text = embedded::read_file(log).value();
    std::size_t count = 0;
    for (auto at = text.find("routes are not reloaded"); at != std::string::npos;
         at = text.find("routes are not reloaded", at + 1))
      ++count;
    return count;
  };
  BOOST_TEST(test::eventually(patience, [&] { return complaints() == 2; }));
  BOOST_TEST(generation() == before);
  expect(pay(), 201);
}

BOOST_AUTO_TEST_CASE(an_operator_lists_routes_with_their_generation_and_doubts) {
  config_file file;
  file.set_routes(
    "[[routes]]\ncurrency = [\"EUR\", \"GBP\"]\ngateways = [\"alder\", \"birch\"]\n"
    "weights = [70, 30]\nacquirer = \"sandbox\"\n\n"
    + route_to("\"alder\"") + "\n[[routes]]\ncurrency = \"EUR\"\n"
    + "gateways = [\"birch\"]\nacquirer = \"sandbox\"\n");
  const auto reloaded = ctl({"routes", "reload"});
  BOOST_TEST(reloaded.succeeded, reloaded.output);
  const auto shown = ctl({"routes", "list"});
  for (const auto& part : {std::string{"EUR, GBP"}, std::string{"70, 30"},
                           "generation " + std::to_string(generation()),
                           std::string{"route 3 is never taken: route 1"}})
    BOOST_TEST(shown.output.find(part) != std::string::npos, part << " in " << shown.output);
  const auto document = boost::json::parse(ctl({"routes", "list", "--json"}).output);
  BOOST_TEST(document.at("generation").as_int64() == generation());
  BOOST_TEST(document.at("data").as_array().size() == 3U);
  const auto checked = holdfast_with({"node", "--config", file.path(), "--check"});
  BOOST_TEST(checked.succeeded, checked.output);
  BOOST_TEST(
    checked.output.find("is fine: 2 gateways, 1 acquirers, 3 routes") != std::string::npos,
    checked.output);
  BOOST_TEST(checked.output.find("warning: ") != std::string::npos, checked.output);
}

BOOST_AUTO_TEST_CASE(a_brand_may_have_a_route_of_its_own) {
  config_file file;
  file.set_routes(
    "[[routes]]\nbrand = \"visa\"\ngateways = [\"birch\"]\n"
    "acquirer = \"sandbox\"\n\n"
    + route_to("\"alder\""));
  hang_up();
  for (const auto& card : {"4242424242424242", "4012888888881881"}) {
    const auto visa = choice_for({.card = card});
    BOOST_TEST(visa.gateway == "birch");
    BOOST_TEST(visa.reason == "route 1 (brand visa): its only gateway");
  }
  for (const auto& other :
       {payment_order{.card = "5555555555554444"}, payment_order{.card = "378282246310005"},
        payment_order{.token = "tok_visa"}}) { // whose brand only the gateway knows
    const auto chosen = choice_for(other);
    BOOST_TEST(chosen.gateway == "alder");
    BOOST_TEST(chosen.reason == "route 2 (any payment): its only gateway");
  }
}

BOOST_AUTO_TEST_CASE(weights_share_the_keys_and_a_key_is_always_drawn_alike) {
  constexpr std::size_t keys = 200;
  constexpr std::size_t least = keys * 35 / 100; // of a fair coin, once in 30,000 runs
  config_file file;
  file.set_routes(
    "[[routes]]\ngateways = [\"alder\", \"birch\"]\nweights = [50, 50]\n"
    "acquirer = \"sandbox\"\n");
  hang_up();
  auto& suite = dev_suite::here();
  config::route_settings rule;
  rule.gateways = {"alder", "birch"};
  rule.weights = {50, 50};
  const routes::table same{{rule}};
  const auto merchant = merchant_id::parse(suite.node().merchant()).value();
  const auto drawn_for = [&](const std::string& key) {
    return same.choose({merchant, currency::parse("EUR").value(), {}, "visa", key})
      ->gateways.front();
  };
  std::vector<std::string> names;
  std::vector<http::call> requests;
  for (std::size_t i = 0; i < keys; ++i) {
    names.push_back("weighed-" + std::to_string(i));
    requests.push_back(
      suite.api().make_post("/v1/payments", payment_order{}.body(), names.back()));
  }
  const auto answers = suite.api().send_all(std::move(requests));
  std::map<std::string, std::size_t> share;
  for (std::size_t i = 0; i < keys; ++i) {
    expect(answers[i], 201);
    ++share[answers[i].text("/gateway")];
    // By merchant and key alone: whoever asks the table again hears the same.
    BOOST_TEST(answers[i].text("/gateway") == drawn_for(names[i]));
  }
  BOOST_TEST(share.size() == 2U);
  BOOST_TEST(share["alder"] >= least);
  BOOST_TEST(share["birch"] >= least);
  const auto again = suite.api().send(
    suite.api().make_post("/v1/payments", payment_order{}.body(), names.front()));
  BOOST_TEST(again.body == answers.front().body);
}

BOOST_AUTO_TEST_CASE(a_gateway_tripped_by_hand_gets_no_charge_but_what_it_is_owed) {
  const auto pending = pay(1'051); // charged at alder, but the answer is lost
  const auto tripped = ctl({"gateways", "trip", "alder", "--note", "their maintenance"});
  BOOST_TEST(tripped.succeeded, tripped.output);
  const auto list = ctl({"gateways", "list"});
  BOOST_TEST(list.output.find("tripped by ada: their maintenance") != std::string::npos,
             list.output);
  for (int i = 0; i < 5; ++i)
    BOOST_TEST(pay().text("/gateway") == "birch");
  const auto ended =
    test::await_status(dev_suite::here().api(), pending.text("/id"), {"authorized", "failed"});
  BOOST_TEST(ended.text("/status") == "authorized");
  BOOST_TEST(breaker_of("alder") == "open");
  const auto metrics = dev_suite::here().admin().get("/metrics").body;
  BOOST_TEST(
    metrics.find("holdfast_gateway_breaker_state{gateway=\"alder\",state=\"open\"} 1\n")
    != std::string::npos);
  const auto reset = ctl({"gateways", "reset", "alder", "--json"});
  BOOST_TEST(boost::json::parse(reset.output).at("breaker").as_string() == "closed");
  BOOST_TEST(pay().text("/gateway") == "alder");
  BOOST_TEST(ctl({"gateways", "trip", "elder"}).ending == "exit code 1");
  BOOST_TEST(ctl({"gateways", "trip", "alder", "--for", "soon"}).ending == "exit code 2");
}

BOOST_AUTO_TEST_CASE(a_gateway_that_goes_away_is_left_and_found_again_by_what_it_is_owed) {
  auto& suite = dev_suite::here();
  expect(suite.sandbox().post("/sandbox/faults", R"({"gateway":"alder","outage":true})"), 200);
  std::vector<std::string> pending;
  const bool opened = test::eventually(patience, [&] {
    auto order = suite.api().make_post("/v1/payments", payment_order{}.body());
    order.headers.emplace_back("Prefer", "wait=1");
    const auto answer = suite.api().send(std::move(order));
    if (answer.status == 202)
      pending.push_back(answer.text("/id"));
    return breaker_of("alder") == "open";
  });
  BOOST_REQUIRE(opened);
  BOOST_TEST(std::string{gateway("alder").at("reason").as_string()}.starts_with("error rate"));
  const auto elsewhere = pay();
  expect(elsewhere, 201);
  BOOST_TEST(elsewhere.text("/gateway") == "birch");
  expect(suite.sandbox().post("/sandbox/faults", R"({"gateway":"alder","outage":false})"), 200);
  // Nobody buys anything: the probes are the inquiries and reversals alone.
  BOOST_TEST(test::eventually(patience, [&] { return breaker_of("alder") == "closed"; }));
  for (const auto& id : pending) {
    const auto ended =
      test::await_status(suite.api(), id, {"authorized", "failed", "declined"});
    BOOST_TEST(suite.effective(id, "authorize") - suite.effective(id, "reverse")
               == (ended.text("/status") == "authorized" ? 1U : 0U));
  }
  BOOST_TEST(!pending.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
