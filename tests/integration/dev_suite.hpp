// One `holdfast dev` for a whole suite, and what its test cases ask of it besides HTTP: the
// sandbox's records.
#pragma once

#include "tests/integration/api_client.hpp"
#include "tests/support/node.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace holdfast::test {

/// A merchant of its own, so that a test case finds only what it has made itself.
struct test_merchant {
  std::string id;
  std::string key_id;
  std::string api_key;
  std::unique_ptr<api_client> api;
};

/// To be named once a suite:
///     BOOST_AUTO_TEST_SUITE(races, *boost::unit_test::fixture<test::dev_suite>())
class dev_suite {
public:
  dev_suite();
  ~dev_suite();
  dev_suite(const dev_suite&) = delete;
  dev_suite& operator=(const dev_suite&) = delete;

  /// That of the suite which runs.
  [[nodiscard]] static dev_suite& here();

  [[nodiscard]] const private_node& node() const noexcept { return node_; }
  [[nodiscard]] api_client& api() { return *api_; } ///< as the dev merchant
  [[nodiscard]] api_client& admin() { return *admin_; }
  [[nodiscard]] api_client& sandbox() { return *sandbox_; }
  [[nodiscard]] test_merchant new_merchant(int stripes = 1);

  /// In good order, and so with everything on disk. Nothing can be asked afterwards.
  void stop() { node_.stop(); }

  /// Every fact that the sandbox has recorded for the payment, oldest first.
  [[nodiscard]] std::vector<boost::json::object> facts_of(const std::string& payment);
  /// How many of them moved money.
  [[nodiscard]] std::size_t effective(const std::string& payment, std::string_view kind);

  /// A program of PostgreSQL ("pg_dump").
  [[nodiscard]] static std::filesystem::path postgres_program(std::string_view name);

private:
  private_node node_;
  std::unique_ptr<api_client> api_;
  std::unique_ptr<api_client> admin_;
  std::unique_ptr<api_client> sandbox_;
};

/// As `dev_suite::facts_of`, of any sandbox.
[[nodiscard]] std::vector<boost::json::object> facts_of(api_client& sandbox,
                                                        const std::string& payment);

/// Asks for the payment until its status is one of these. Throws with the last answer when that
/// takes longer than any unknown outcome may.
api_answer await_status(api_client& api, const std::string& payment,
                        std::initializer_list<std::string_view> wanted);

/// A payment as ordered, authorized or captured; throws otherwise.
std::string make_payment(api_client& api, const payment_order& order);

} // namespace holdfast::test
