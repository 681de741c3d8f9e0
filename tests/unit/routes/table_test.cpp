// Which route a payment takes, why, and which routes of a table are doubtful.
#include "runtime/routes/table.hpp"

#include "runtime/api/routing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace holdfast::routes {

namespace {

using config::route_settings;

const timestamp noon{std::chrono::sys_days{std::chrono::November / 23 / 2026}
                     + std::chrono::hours{12}};

merchant_id merchant(std::uint64_t number) {
  return merchant_id::make(noon, shard_number{3}, number);
}

/// A payment in euros by visa, but for what a test changes.
struct asked {
  merchant_id who = merchant(1);
  const char* unit = "EUR";
  const char* region = "";
  const char* brand = "visa";
  const char* key = "key";

  [[nodiscard]] question about() const {
    return {who, currency::parse(unit).value(), region, brand, key};
  }
};

route_settings to(std::string gateway, route_settings match = {}) {
  match.gateways = {std::move(gateway)};
  match.acquirer = "bank";
  return match;
}

std::string choice(const table& routes, const asked& payment) {
  const auto found = routes.choose(payment.about());
  return found ? found->gateways.front() : "none";
}

} // namespace

BOOST_AUTO_TEST_SUITE(route_table)

BOOST_AUTO_TEST_CASE(a_route_fits_what_it_asks_for) {
  const table routes{{
    to("a", {.merchant = {merchant(1).text(), merchant(2).text()}, .priority = 1}),
    to("b", {.currency = {"USD", "CAD"}, .priority = 2}),
    to("c", {.region = {"EU"}, .priority = 3}),
    to("d", {.brand = {"amex"}, .priority = 4}),
    to("e", {.currency = {"EUR"}, .brand = {"visa", "mastercard"}, .priority = 5}),
  }};
  const auto other = merchant(9);
  struct row {
    asked payment;
    const char* gateway;
  };
  for (const auto& [payment, gateway] : {
         row{{}, "a"},
         row{{.who = merchant(2), .unit = "USD"}, "a"},
         row{{.who = other, .unit = "USD"}, "b"},
         row{{.who = other, .unit = "CAD", .region = "EU"}, "b"},
         row{{.who = other, .region = "EU"}, "c"},
         row{{.who = other, .region = "eu"}, "e"},
         row{{.who = other, .brand = "amex"}, "d"},
         row{{.who = other, .brand = "mastercard"}, "e"},
         row{{.who = other, .brand = ""}, "none"},
         row{{.who = other, .unit = "JPY"}, "none"},
       })
    BOOST_TEST(choice(routes, payment) == gateway,
               payment.unit << ' ' << payment.region << ' ' << payment.brand);
}

BOOST_AUTO_TEST_CASE(the_lowest_priority_wins_then_the_most_specific_then_the_first) {
  const table routes{{
    to("any"),
    to("first eur", {.currency = {"EUR"}}),
    to("second eur", {.currency = {"EUR"}}),
    to("eur visa", {.currency = {"EUR"}, .brand = {"visa"}}),
    to("urgent", {.region = {"US"}, .priority = 10}),
    to("late", {.merchant = {merchant(1).text()},
                .currency = {"EUR"},
                .region = {"EU"},
                .brand = {"visa"},
                .priority = 200}),
  }};
  BOOST_TEST(choice(routes, {.unit = "USD"}) == "any");
  BOOST_TEST(choice(routes, {.brand = "amex"}) == "first eur");
  BOOST_TEST(choice(routes, {}) == "eur visa");
  BOOST_TEST(choice(routes, {.region = "US"}) == "urgent");
  BOOST_TEST(choice(routes, {.region = "EU"}) == "eur visa");
}

BOOST_AUTO_TEST_CASE(each_gateway_of_a_route_has_its_reason) {
  const table routes{{
    to("only"),
    {.currency = {"EUR", "USD"},
     .brand = {"visa"},
     .gateways = {"alder", "birch", "cedar"},
     .acquirer = "bank"},
  }};
  const auto three = routes.choose(asked{}.about()).value();
  BOOST_TEST(three.acquirer == "bank");
  const std::vector<std::string> gateways{"alder", "birch", "cedar"};
  const std::vector<std::string> reasons{
    "route 2 (currency EUR, brand visa): first of its gateways", "route 2: fall-back 1",
    "route 2: fall-back 2"};
  BOOST_TEST(three.gateways == gateways, boost::test_tools::per_element());
  BOOST_TEST(three.reasons == reasons, boost::test_tools::per_element());
  const auto one = routes.choose(asked{.brand = "amex"}.about()).value();
  BOOST_TEST(one.reasons.at(0) == "route 1 (any payment): its only gateway");
}

BOOST_AUTO_TEST_CASE(weights_share_the_payments_by_their_keys) {
  const table routes{
    {{.gateways = {"alder", "birch", "cedar"}, .weights = {70, 30, 0}, .acquirer = "bank"}}};
  std::map<std::string, int> first;
  for (int number = 0; number < 2'000; ++number) {
    const auto key = "key-" + std::to_string(number);
    const auto chosen = routes.choose(asked{.key = key.c_str()}.about()).value();
    const auto again = routes.choose(asked{.key = key.c_str()}.about()).value();
    BOOST_REQUIRE(chosen.gateways == again.gateways);
    BOOST_REQUIRE(chosen.reasons == again.reasons);
    BOOST_REQUIRE_EQUAL(chosen.gateways.size(), 3U);
    BOOST_REQUIRE_EQUAL(chosen.reasons.size(), 3U);
    ++first[chosen.gateways.front()];
    if (chosen.gateways.front() == "birch") {
      BOOST_REQUIRE_EQUAL(chosen.reasons[0], "route 1 (any payment): weight 30 of 100");
      BOOST_REQUIRE_EQUAL(chosen.gateways[1], "alder");
      BOOST_REQUIRE_EQUAL(chosen.reasons[1], "route 1: fall-back 1");
      BOOST_REQUIRE_EQUAL(chosen.gateways[2], "cedar");
    }
  }
  BOOST_TEST(first["alder"] > 1'320);
  BOOST_TEST(first["alder"] < 1'480);
  BOOST_TEST(first["alder"] + first["birch"] == 2'000);
}

BOOST_AUTO_TEST_CASE(the_same_key_of_two_merchants_is_drawn_twice) {
  const table routes{
    {{.gateways = {"alder", "birch"}, .weights = {50, 50}, .acquirer = "bank"}}};
  int differ = 0;
  for (std::uint64_t number = 0; number < 100; ++number)
    differ += choice(routes, {.who = merchant(number)})
              != choice(routes, {.who = merchant(number + 1)});
  BOOST_TEST(differ > 20);
}

BOOST_AUTO_TEST_CASE(a_gateway_that_is_shut_goes_behind_and_stays_in_the_route) {
  const table routes{{{.gateways = {"alder", "birch", "cedar"}, .acquirer = "bank"}}};
  const auto without = [&](std::vector<std::string> shut) {
    return routes
      .choose(
        asked{}.about(),
        [shut](const std::string& name) { return std::ranges::find(shut, name) != shut.end(); })
      .value();
  };
  const auto one = without({"alder"});
  const std::vector<std::string> order{"birch", "cedar", "alder"};
  BOOST_TEST(one.gateways == order, boost::test_tools::per_element());
  BOOST_TEST(one.reasons.front()
             == "route 1: fall-back 1, before alder, whose breaker is open");
  BOOST_TEST(one.reasons[1] == "route 1: fall-back 2");
  BOOST_TEST(one.reasons.back()
             == "route 1 (any payment): first of its gateways, moved behind: its breaker is "
                "open");
  const auto all = without({"alder", "birch", "cedar"});
  BOOST_TEST(all.gateways.front() == "alder");
  BOOST_TEST(all.reasons.front() == "route 1 (any payment): first of its gateways");
}

BOOST_AUTO_TEST_CASE(routes_that_are_never_taken_or_ambiguous_are_told) {
  struct row {
    std::vector<route_settings> routes;
    std::vector<std::string> told;
  };
  const auto eur = [](std::string gateway, std::uint32_t line) {
    return to(std::move(gateway), {.currency = {"EUR"}, .line = line});
  };
  for (const auto& [routes, told] : {
         row{{to("a", {.line = 1}), eur("b", 5)}, {}},
         row{{eur("a", 1), eur("b", 5)},
             {"node.toml:5: [[routes]] route 2 is never taken: route 1 (line 1) takes all of "
              "its payments"}},
         row{{to("a", {.priority = 1, .line = 1}), eur("b", 5)},
             {"node.toml:5: [[routes]] route 2 is never taken: route 1 (line 1) takes all of "
              "its payments"}},
         row{{eur("b", 1), to("a", {.priority = 1, .line = 5})},
             {"node.toml:1: [[routes]] route 1 is never taken: route 2 (line 5) takes all of "
              "its payments"}},
         row{{to("a", {.currency = {"EUR", "USD"}, .line = 1}), eur("b", 5)},
             {"node.toml:5: [[routes]] route 2 is never taken: route 1 (line 1) takes all of "
              "its payments"}},
         row{{eur("a", 1), to("b", {.brand = {"visa"}, .line = 5})},
             {"node.toml:5: [[routes]] route 2 is ambiguous: route 1 (line 1) fits some of its "
              "payments as well and is taken for them because it comes first; give one of "
              "them another priority"}},
         row{{eur("a", 1), to("b", {.brand = {"visa"}, .priority = 1, .line = 5})}, {}},
         row{{eur("a", 1), to("a", {.brand = {"visa"}, .line = 5})}, {}},
         row{{eur("a", 1), to("b", {.currency = {"USD"}, .line = 5})}, {}},
       }) {
    const auto found = table{routes}.doubts("node.toml");
    BOOST_TEST(found == told, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(api_routing)

BOOST_AUTO_TEST_CASE(a_reload_replaces_the_table_and_counts_generations) {
  api::routing routing{{to("a")}, noon, "node.toml"};
  const auto before = routing.in_force();
  const auto taken = routing.resolve(asked{}.about()).value();
  routing.replace({to("b")}, noon + std::chrono::seconds{5});
  BOOST_TEST(routing.resolve(asked{}.about())->gateways.front() == "b");
  BOOST_TEST(taken.gateways.front() == "a");
  BOOST_TEST(before->table.routes().front().gateways.front() == "a");
  BOOST_TEST(before->generation == 1U);
  const auto now = routing.in_force();
  BOOST_TEST(now->generation == 2U);
  BOOST_TEST((now->loaded_at == noon + std::chrono::seconds{5}));
  BOOST_TEST(now->file == "node.toml");
}

BOOST_AUTO_TEST_CASE(without_brand_and_key_only_routes_for_any_brand_fit) {
  const api::routing routing{{to("a", {.brand = {"visa"}}), to("b")}};
  const routes::question by_token{merchant(1), currency::parse("EUR").value(), "EU", {}, {}};
  BOOST_TEST(routing.resolve(by_token)->gateways.front() == "b");
}

BOOST_AUTO_TEST_CASE(a_shut_gateway_is_asked_about_at_each_choice) {
  bool shut = false;
  const api::routing routing{
    {{.gateways = {"a", "b"}, .acquirer = "bank"}}, {}, {}, [&](const std::string& name) {
      return shut && name == "a";
    }};
  BOOST_TEST(routing.resolve(asked{}.about())->gateways.front() == "a");
  shut = true;
  BOOST_TEST(routing.resolve(asked{}.about())->gateways.front() == "b");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::routes
