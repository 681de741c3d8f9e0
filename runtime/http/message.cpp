#include "runtime/http/message.hpp"

namespace holdfast::http {

std::string_view request::header(std::string_view name) const noexcept {
  for (const auto& [field, value] : headers) {
    if (field == name)
      return value;
  }
  return {};
}

bool request::has_header(std::string_view name) const noexcept {
  for (const auto& field : headers) {
    if (field.first == name)
      return true;
  }
  return false;
}

} // namespace holdfast::http
