#include "tests/integration/json_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

namespace holdfast::test {

namespace json = boost::json;

namespace {

/// Of them nothing is checked here.
constexpr std::array annotations{"description", "examples", "default", "format", "writeOnly"};

bool is_of_type(const json::value& document, std::string_view type) {
  if (type == "object")
    return document.is_object();
  if (type == "array")
    return document.is_array();
  if (type == "string")
    return document.is_string();
  if (type == "integer")
    return document.is_int64() || document.is_uint64();
  if (type == "boolean")
    return document.is_bool();
  return type == "null" && document.is_null();
}

class validator {
public:
  explicit validator(const json::value& root) : root_(root) {}

  void check(const json::value& document, const json::value& schema, const std::string& where) {
    for (const auto& [keyword, wanted] : schema.as_object())
      check_keyword(document, schema.as_object(), keyword, wanted, where);
  }

  [[nodiscard]] std::vector<std::string> take() { return std::move(findings_); }

private:
  void check_keyword(const json::value& document, const json::object& schema,
                     std::string_view keyword, const json::value& wanted,
                     const std::string& where) {
    if (keyword == "$ref")
      return check(document, resolve(wanted), where);
    if (keyword == "type")
      return check_type(document, wanted, where);
    if (keyword == "const")
      return demand(document == wanted, where, wanted);
    if (keyword == "enum")
      return check_enum(document, wanted.as_array(), where);
    if (keyword == "pattern")
      return check_pattern(document, wanted, where);
    if (keyword == "allOf")
      return check_all_of(document, wanted.as_array(), where);
    if (keyword == "oneOf")
      return check_one_of(document, wanted.as_array(), where);
    if (keyword == "items")
      return check_items(document, wanted, where);
    if (keyword == "required")
      return check_required(document, wanted.as_array(), where);
    if (keyword == "properties")
      return check_properties(document, wanted.as_object(), where);
    if (keyword == "additionalProperties")
      return check_additional(document, schema, wanted, where);
    if (keyword == "propertyNames")
      return check_names(document, wanted, where);
    if (keyword.starts_with("min") || keyword.starts_with("max"))
      return check_bound(document, keyword, wanted.as_int64(), where);
    if (std::find(annotations.begin(), annotations.end(), keyword) == annotations.end())
      findings_.push_back(where + ": the keyword " + std::string{keyword}
                          + " is not understood");
  }

  const json::value& resolve(const json::value& reference) const {
    std::string_view pointer = reference.as_string();
    pointer.remove_prefix(1); // "#"
    return root_.at_pointer(pointer);
  }

  void demand(bool holds, const std::string& where, const json::value& wanted) {
    if (!holds)
      findings_.push_back(where + ": expected " + json::serialize(wanted));
  }

  void check_type(const json::value& document, const json::value& wanted,
                  const std::string& where) {
    bool fits = false;
    if (wanted.is_string())
      fits = is_of_type(document, wanted.get_string());
    else
      for (const auto& type : wanted.as_array())
        fits = fits || is_of_type(document, type.as_string());
    demand(fits, where, wanted);
  }

  void check_enum(const json::value& document, const json::array& wanted,
                  const std::string& where) {
    demand(std::find(wanted.begin(), wanted.end(), document) != wanted.end(), where, wanted);
  }

  void check_pattern(const json::value& document, const json::value& wanted,
                     const std::string& where) {
    if (!document.is_string())
      return;
    const std::regex pattern{std::string{wanted.as_string()}};
    demand(std::regex_search(std::string{document.get_string()}, pattern), where, wanted);
  }

  void check_all_of(const json::value& document, const json::array& wanted,
                    const std::string& where) {
    for (const auto& schema : wanted)
      check(document, schema, where);
  }

  void check_one_of(const json::value& document, const json::array& wanted,
                    const std::string& where) {
    const auto fitting = std::count_if(wanted.begin(), wanted.end(), [&](const auto& schema) {
      validator one{root_};
      one.check(document, schema, where);
      return one.findings_.empty();
    });
    demand(fitting == 1, where, wanted);
  }

  void check_items(const json::value& document, const json::value& wanted,
                   const std::string& where) {
    if (!document.is_array())
      return;
    for (std::size_t i = 0; i < document.get_array().size(); ++i)
      check(document.get_array()[i], wanted, where + '/' + std::to_string(i));
  }

  void check_required(const json::value& document, const json::array& wanted,
                      const std::string& where) {
    for (const auto& name : wanted)
      if (document.is_object() && !document.get_object().contains(name.as_string()))
        findings_.push_back(where + '/' + std::string{name.as_string()} + ": is missing");
  }

  void check_properties(const json::value& document, const json::object& wanted,
                        const std::string& where) {
    if (!document.is_object())
      return;
    for (const auto& [name, schema] : wanted)
      if (const auto* member = document.get_object().if_contains(name))
        check(*member, schema, where + '/' + std::string{name});
  }

  void check_additional(const json::value& document, const json::object& schema,
                        const json::value& wanted, const std::string& where) {
    if (!document.is_object())
      return;
    const auto* properties = schema.if_contains("properties");
    for (const auto& [name, member] : document.get_object()) {
      if (properties && properties->as_object().contains(name))
        continue;
      if (wanted.is_object())
        check(member, wanted, where + '/' + std::string{name});
      else
        demand(wanted.as_bool(), where + '/' + std::string{name}, "no such member");
    }
  }

  void check_names(const json::value& document, const json::value& wanted,
                   const std::string& where) {
    if (!document.is_object())
      return;
    for (const auto& member : document.get_object())
      check(json::value(member.key()), wanted, where);
  }

  void check_bound(const json::value& document, std::string_view keyword, std::int64_t bound,
                   const std::string& where) {
    std::int64_t size = 0;
    if (keyword.ends_with("imum") && document.is_int64())
      size = document.get_int64();
    else if (keyword.ends_with("Length") && document.is_string())
      size = static_cast<std::int64_t>(document.get_string().size());
    else if (keyword.ends_with("Properties") && document.is_object())
      size = static_cast<std::int64_t>(document.get_object().size());
    else
      return; // Bounds bind their own kind of value only.
    demand(keyword.starts_with("min") ? size >= bound : size <= bound, where, bound);
  }

  const json::value& root_;
  std::vector<std::string> findings_;
};

} // namespace

std::vector<std::string> schema_findings(const json::value& document, const json::value& schema,
                                         const json::value& root) {
  validator check{root};
  check.check(document, schema, "");
  return check.take();
}

} // namespace holdfast::test
