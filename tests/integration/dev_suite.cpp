#include "tests/integration/dev_suite.hpp"

#include "messages/assert.hpp"
#include "runtime/embedded/postgres.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;

namespace {

/// An unknown outcome is found out within the gateway's settle time and a few repeats.
constexpr milliseconds outcome_limit{45'000};

dev_suite* running = nullptr;

std::string text_at(const json::object& fact, std::string_view name) {
  const auto* value = fact.if_contains(name);
  return value && value->is_string() ? std::string{value->get_string()} : std::string{};
}

} // namespace

dev_suite::dev_suite() {
  HF_ASSERT(running == nullptr);
  node_.start();
  api_ = std::make_unique<api_client>(node_.http(), node_.api_key());
  admin_ = std::make_unique<api_client>(node_.admin());
  sandbox_ = std::make_unique<api_client>(node_.sandbox());
  running = this;
}

dev_suite::~dev_suite() {
  running = nullptr;
  try {
    node_.stop();
  } catch (const std::exception&) {
    // How `dev` ends is another suite's subject; what is left of it dies with its owner.
  }
}

dev_suite& dev_suite::here() {
  HF_ASSERT(running != nullptr);
  return *running;
}

test_merchant dev_suite::new_merchant(int stripes) {
  const auto made =
    admin_->post("/admin/v1/merchants", R"({"name":"Test","currency":"EUR","stripes":)"
                                          + std::to_string(stripes) + '}');
  test_merchant merchant{.id = made.text("/id"),
                         .key_id = made.text("/key"),
                         .api_key = made.text("/api_key"),
                         .api = {}};
  merchant.api = std::make_unique<api_client>(node_.http(), merchant.api_key);
  return merchant;
}

std::vector<json::object> dev_suite::facts_of(const std::string& payment) {
  return test::facts_of(*sandbox_, payment);
}

std::size_t dev_suite::effective(const std::string& payment, std::string_view kind) {
  const auto facts = facts_of(payment);
  return static_cast<std::size_t>(
    std::count_if(facts.begin(), facts.end(), [kind](const json::object& fact) {
      return text_at(fact, "kind") == kind && fact.at("effective").as_bool();
    }));
}

std::filesystem::path dev_suite::postgres_program(std::string_view name) {
  const auto found = embedded::find_postgres();
  if (!found)
    throw std::runtime_error(found.error().detail);
  return found->folder / name;
}

std::vector<json::object> facts_of(api_client& sandbox, const std::string& payment) {
  std::vector<json::object> facts;
  std::int64_t after = 0;
  while (true) {
    const auto page =
      sandbox.get("/sandbox/records?limit=10000&after=" + std::to_string(after));
    std::istringstream lines{page.body};
    std::string line;
    const auto before = after;
    while (std::getline(lines, line)) {
      auto fact = json::parse(line).as_object();
      after = fact.at("seq").as_int64();
      if (text_at(fact, "reference").starts_with(payment + '.'))
        facts.push_back(std::move(fact));
    }
    if (after == before)
      return facts;
  }
}

api_answer await_status(api_client& api, const std::string& payment,
                        std::initializer_list<std::string_view> wanted) {
  api_answer latest;
  const bool came = eventually(outcome_limit, [&] {
    latest = api.get("/v1/payments/" + payment);
    return std::find(wanted.begin(), wanted.end(), latest.text("/status")) != wanted.end();
  });
  if (!came)
    throw std::runtime_error("the payment stays as it is: " + latest.body);
  return latest;
}

std::string make_payment(api_client& api, const payment_order& order) {
  const auto made = api.post("/v1/payments", order.body());
  if (made.status != 201)
    throw std::runtime_error("the payment was not made: " + made.body);
  return made.text("/id");
}

} // namespace holdfast::test
