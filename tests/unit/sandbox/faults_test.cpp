#include "runtime/sandbox/faults.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace holdfast::sandbox {

namespace {

std::vector<delivery> draw_many(fault_plan& faults, std::string_view gateway) {
  std::vector<delivery> drawn;
  for (int i = 0; i < 2'000; ++i)
    drawn.push_back(faults.draw(gateway));
  return drawn;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_faults)

BOOST_AUTO_TEST_CASE(has_none_unless_told) {
  fault_plan faults;
  BOOST_TEST((faults.draw("alpha") == delivery::normal));
  BOOST_TEST(faults.settings("alpha").latency.count() == 0);
  BOOST_TEST(faults.to_json() == R"({"faults":[]})");
}

BOOST_AUTO_TEST_CASE(repeats_itself_for_the_same_seed) {
  constexpr auto settings = R"({"gateway":"alpha","seed":7,"rates":{"reset":0.1,"slow":0.2}})";
  fault_plan one;
  fault_plan other;
  BOOST_REQUIRE(one.set(settings));
  BOOST_REQUIRE(other.set(settings));
  const auto drawn = draw_many(one, "alpha");
  BOOST_TEST((drawn == draw_many(other, "alpha")));
  const auto resets = std::count(drawn.begin(), drawn.end(), delivery::reset);
  const auto slow = std::count(drawn.begin(), drawn.end(), delivery::slow);
  BOOST_TEST(resets > 150);
  BOOST_TEST(resets < 250);
  BOOST_TEST(slow > 320);
  BOOST_TEST(slow < 480);
}

BOOST_AUTO_TEST_CASE(prefers_the_name_to_the_star) {
  fault_plan faults;
  BOOST_REQUIRE(faults.set(R"({"gateway":"*","latency_ms":5})"));
  BOOST_REQUIRE(faults.set(R"({"gateway":"alpha","outage":true})"));
  BOOST_TEST(faults.settings("alpha").is_out);
  BOOST_TEST(faults.settings("beta").latency.count() == 5);
  faults.clear();
  BOOST_TEST(!faults.settings("alpha").is_out);
}

BOOST_AUTO_TEST_CASE(shows_what_was_set) {
  fault_plan faults;
  BOOST_REQUIRE(faults.set(R"({"gateway":"alpha","seed":7,"rates":{"not_json":0.5}})"));
  BOOST_TEST(faults.to_json().find(R"("gateway":"alpha","seed":7,"rates":{"not_json":5E-1})")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(takes_what_goes_wrong_with_whole_files) {
  fault_plan faults;
  BOOST_REQUIRE(faults.set(R"({"gateway":"first","settlement":["half_accept","cut_off"]})"));
  const auto& settlement = faults.settings("first").settlement;
  BOOST_TEST(settlement.half_accept);
  BOOST_TEST(settlement.cut_off);
  BOOST_TEST(!settlement.refuse_file);
  BOOST_TEST(faults.to_json().find(R"("settlement":["half_accept","cut_off"])")
             != std::string::npos);
  BOOST_TEST(!faults.settings("second").settlement.half_accept);
}

BOOST_AUTO_TEST_CASE(refuses_what_makes_no_sense) {
  fault_plan faults;
  for (const char* settings :
       {"", "[]", R"({"rates":{"nonsense":0.1}})", R"({"rates":{"slow":2}})",
        R"({"rates":{"slow":-0.1}})", R"({"rates":{"slow":"x"}})", R"({"rates":[]})",
        R"({"rates":{"slow":0.6,"reset":0.6}})", R"({"latency_ms":-1})", R"({"outage":1})",
        R"({"seed":-1})", R"({"rates":{"normal":0.1}})", R"({"settlement":"cut_off"})",
        R"({"settlement":["nonsense"]})", R"({"settlement":[1]})"})
    BOOST_TEST((faults.set(settings).error().code == errc::invalid_argument), settings);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::sandbox
