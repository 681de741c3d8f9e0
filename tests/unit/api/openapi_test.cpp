#include "runtime/api/openapi.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

namespace holdfast::api {

namespace {

namespace json = boost::json;

json::value parsed_document() {
  return json::parse(render_openapi(public_routes()));
}

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

void collect_references(const json::value& part, std::set<std::string>& found) {
  if (const auto* object = part.if_object()) {
    for (const auto& member : *object) {
      if (member.key() == "$ref")
        found.insert(std::string{member.value().as_string()});
      collect_references(member.value(), found);
    }
  } else if (const auto* array = part.if_array()) {
    for (const auto& element : *array)
      collect_references(element, found);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_openapi)

BOOST_AUTO_TEST_CASE(holds_every_route_with_every_status_and_nothing_else) {
  const auto document = parsed_document();
  std::set<std::string> in_document;
  for (const auto& path : document.at("paths").as_object())
    for (const auto& operation : path.value().as_object())
      for (const auto& answer : operation.value().at("responses").as_object())
        in_document.insert(std::string{operation.key()} + ' ' + std::string{path.key()} + ' '
                           + std::string{answer.key()});
  std::set<std::string> in_table;
  for (const auto& row : public_routes())
    for (const auto status : row.statuses)
      in_table.insert(lower(row.method) + ' ' + std::string{row.path} + ' '
                      + std::to_string(status));
  BOOST_CHECK_EQUAL_COLLECTIONS(in_document.begin(), in_document.end(), in_table.begin(),
                                in_table.end());
}

BOOST_AUTO_TEST_CASE(resolves_every_reference_and_has_nothing_unused) {
  const auto document = parsed_document();
  std::set<std::string> used;
  collect_references(document, used);
  std::set<std::string> defined;
  for (const auto& kind : document.at("components").as_object()) {
    if (kind.key() == "securitySchemes")
      continue;
    for (const auto& component : kind.value().as_object())
      defined.insert("#/components/" + std::string{kind.key()} + '/'
                     + std::string{component.key()});
  }
  BOOST_CHECK_EQUAL_COLLECTIONS(used.begin(), used.end(), defined.begin(), defined.end());
}

BOOST_AUTO_TEST_CASE(asks_for_what_the_routes_ask_for) {
  const auto document = parsed_document();
  BOOST_TEST(document.at("openapi").as_string() == "3.1.0");
  std::set<std::string> names;
  for (const auto& row : public_routes()) {
    const auto& operation =
      document.at("paths").as_object().at(row.path).as_object().at(lower(row.method));
    names.insert(std::string{operation.at("operationId").as_string()});
    const bool posts = row.method == "POST";
    BOOST_TEST(operation.as_object().contains("requestBody") == posts);
    std::set<std::string> references;
    if (const auto* parameters = operation.as_object().if_contains("parameters"))
      collect_references(*parameters, references);
    const bool of_merchant = row.needs == access::merchant;
    BOOST_TEST(references.contains("#/components/parameters/Idempotency-Key")
               == (posts && of_merchant));
    BOOST_TEST(references.contains("#/components/parameters/Webhook-Signature")
               == (row.needs == access::gateway));
    BOOST_TEST(operation.as_object().contains("security") == !of_merchant);
    const auto open = row.path.find('{');
    if (open != std::string_view::npos) {
      const auto name = row.path.substr(open + 1, row.path.find('}') - open - 1);
      BOOST_TEST(references.contains("#/components/parameters/" + std::string{name}));
    }
  }
  BOOST_TEST(names.size() == public_routes().size());
}

BOOST_AUTO_TEST_CASE(is_the_same_every_time) {
  BOOST_TEST(render_openapi(public_routes()) == render_openapi(public_routes()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::api
