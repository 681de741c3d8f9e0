#include "runtime/api/dispatch.hpp"

#include "messages/entry_id.hpp"
#include "runtime/api/query.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::api {

BOOST_AUTO_TEST_SUITE(api_dispatch)

BOOST_AUTO_TEST_CASE(finds_rows_and_arguments) {
  const dispatcher paths{{{"GET", "/v1/payments"},
                          {"POST", "/v1/payments"},
                          {"GET", "/v1/payments/{id}"},
                          {"POST", "/v1/payments/{id}/void"}}};
  BOOST_TEST(paths.find("POST", "/v1/payments").row.value() == 1U);
  const auto shown = paths.find("GET", "/v1/payments/pay_1");
  BOOST_TEST(shown.row.value() == 2U);
  BOOST_TEST(shown.argument == "pay_1");
  BOOST_TEST(shown.route == "/v1/payments/{id}");
  BOOST_TEST(paths.find("POST", "/v1/payments/pay_1/void").argument == "pay_1");
}

BOOST_AUTO_TEST_CASE(tells_a_wrong_method_from_a_wrong_path) {
  const dispatcher paths{{{"GET", "/a"}, {"POST", "/a"}, {"GET", "/a/{id}/b"}}};
  const auto wrong_method = paths.find("DELETE", "/a");
  BOOST_TEST(!wrong_method.row.has_value());
  BOOST_TEST(wrong_method.allow == "GET, POST");
  BOOST_TEST(wrong_method.route == "/a");
  for (const auto* path : {"", "/", "/a/", "/A", "/a//b", "/a/x/y/b", "/a/x/b/", "/a/x"}) {
    const auto wrong_path = paths.find("GET", path);
    BOOST_TEST(!wrong_path.row.has_value(), "path: " << path);
    BOOST_TEST(wrong_path.allow == "", "path: " << path);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(api_query)

namespace {

struct parsed_page {
  std::optional<refusal> refused;
  storage::page window;
};

parsed_page read_page(std::vector<std::pair<std::string, std::string>> query) {
  http::request request;
  request.query = std::move(query);
  query_reader reader{request, {"limit", "starting_after"}};
  auto window = reader.page<payment_id>();
  return {reader.refused(), window};
}

} // namespace

BOOST_AUTO_TEST_CASE(reads_limit_and_cursor) {
  BOOST_TEST(read_page({}).window.limit == 10U);
  const auto id = payment_id::make(test_now, shard_number{1}, 1).text();
  const auto page = read_page({{"limit", "100"}, {"starting_after", id}});
  BOOST_TEST(!page.refused.has_value());
  BOOST_TEST(page.window.limit == 100U);
  BOOST_TEST(page.window.starting_after == id);
}

BOOST_AUTO_TEST_CASE(names_the_parameter_that_is_wrong) {
  for (const auto* limit : {"0", "101", "-1", "x", "1.0", "99999999999", "1 "})
    BOOST_TEST(read_page({{"limit", limit}}).refused.value().param == "limit");
  BOOST_TEST(read_page({{"starting_after", "ref_1"}}).refused.value().param
             == "starting_after");
  BOOST_TEST(read_page({{"page", "2"}}).refused.value().param == "page");
  BOOST_TEST(read_page({{"limit", "1"}, {"limit", "1"}}).refused.value().param == "limit");
  BOOST_TEST(read_page({{"limit", ""}}).refused.value().param == "limit");
}

BOOST_AUTO_TEST_CASE(names_ledger_entries_by_their_position) {
  const entry_id id{shard_number{31}, sequence_number{0x1234}, 7};
  BOOST_TEST(id.text() == "ent_001f00000000000012340007");
  BOOST_TEST((entry_id::parse(id.text()).value() == id));
  for (const auto* text :
       {"", "ent_", "evt_001f00000000000012340007", "ent_001f000000000000123400",
        "ent_001F00000000000012340007", "ent_001f0000000000001234000g"})
    BOOST_TEST(entry_id::parse(text).has_error(), "text: " << text);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
