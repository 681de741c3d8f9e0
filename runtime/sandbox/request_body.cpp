#include "runtime/sandbox/request_body.hpp"

#include "messages/limits.hpp"
#include "runtime/http/text.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>

#include <array>
#include <optional>

namespace holdfast::sandbox {

namespace json = boost::json;

/// Small bodies, which nearly all are, need no allocation but this one.
struct request_body::memory {
  std::array<unsigned char, 2'048> buffer;
  json::monotonic_resource resource{buffer.data(), buffer.size()};
  std::optional<json::value> root;
};

request_body::request_body() : memory_(std::make_unique<memory>()) {}
request_body::request_body(request_body&& other) noexcept = default;
request_body& request_body::operator=(request_body&& other) noexcept = default;
request_body::~request_body() = default;

expected<request_body> request_body::parse(std::string_view text) {
  request_body body;
  json::error_code failure;
  std::array<unsigned char, 1'024> scratch;
  json::parser parser{{}, {}, scratch.data(), scratch.size()};
  parser.reset(&body.memory_->resource);
  parser.write(text.data(), text.size(), failure);
  if (failure)
    return make_error(errc::invalid_argument, "the body is not JSON");
  body.memory_->root.emplace(parser.release());
  body.object_ = body.memory_->root->if_object();
  if (!body.object_)
    return make_error(errc::invalid_argument, "the body is not a JSON object");
  return body;
}

void request_body::note(std::string_view name) {
  if (wrong_member_.empty())
    wrong_member_ = name;
}

const json::value* request_body::find(std::string_view name) const {
  return object_->if_contains(name);
}

bool request_body::has(std::string_view name) const {
  return find(name) != nullptr;
}

std::string_view request_body::text(std::string_view name, std::size_t bytes_max) {
  const auto* value = find(name);
  const auto* text = value ? value->if_string() : nullptr;
  if (text && !text->empty() && text->size() <= bytes_max)
    return std::string_view{*text};
  note(name);
  return {};
}

std::string_view request_body::text_or(std::string_view name, std::string_view otherwise,
                                       std::size_t bytes_max) {
  return has(name) ? text(name, bytes_max) : otherwise;
}

std::string_view request_body::plain_name(std::string_view name) {
  const auto value = text(name, limits::sandbox_name_bytes_max);
  if (http::is_plain_name(value, limits::sandbox_name_bytes_max))
    return value;
  note(name);
  return {};
}

std::int64_t request_body::number(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto* value = find(name);
  const auto* number = value ? value->if_int64() : nullptr;
  if (number && *number >= min && *number <= max)
    return *number;
  note(name);
  return min;
}

std::int64_t request_body::number_or(std::string_view name, std::int64_t otherwise,
                                     std::int64_t min, std::int64_t max) {
  return has(name) ? number(name, min, max) : otherwise;
}

std::int64_t request_body::amount() {
  return number("amount", 1, limits::amount_minor_max);
}

std::string_view request_body::currency() {
  const auto code = text("currency", 3);
  if (code.size() == 3 && code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == code.npos)
    return code;
  note("currency");
  return {};
}

bool request_body::flag(std::string_view name) {
  const auto* value = find(name);
  const auto* flag = value ? value->if_bool() : nullptr;
  if (value && !flag)
    note(name);
  return flag && *flag;
}

const json::object* request_body::object_if_any(std::string_view name) {
  const auto* value = find(name);
  const auto* object = value ? value->if_object() : nullptr;
  if (value && !object)
    note(name);
  return object;
}

bool request_body::enter(std::string_view name) {
  const auto* inner = object_if_any(name);
  if (!inner) {
    note(name);
    return false;
  }
  object_ = inner;
  return true;
}

} // namespace holdfast::sandbox
