#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

namespace holdfast::client {

namespace json = boost::json;

const json::value* member_at(const json::object& object, std::string_view path) {
  const auto dot = path.find('.');
  const auto* value = object.if_contains(path.substr(0, dot));
  if (!value || dot == std::string_view::npos)
    return value;
  const auto* inner = value->if_object();
  return inner ? member_at(*inner, path.substr(dot + 1)) : nullptr;
}

std::string string_at(const json::object& object, std::string_view path) {
  const auto* value = member_at(object, path);
  return value && value->is_string() ? std::string{value->as_string()} : std::string{};
}

std::int64_t integer_at(const json::object& object, std::string_view path) {
  const auto* value = member_at(object, path);
  return value && value->is_int64() ? value->as_int64() : 0;
}

bool flag_at(const json::object& object, std::string_view path) {
  const auto* value = member_at(object, path);
  return value && value->is_bool() && value->as_bool();
}

} // namespace holdfast::client
