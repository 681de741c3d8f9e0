#include "runtime/http/fields.hpp"

#include "runtime/http/text.hpp"

#include <algorithm>

namespace holdfast::http {

header_list to_header_list(const boost::beast::http::fields& fields) {
  constexpr std::size_t usual_count = 12;
  header_list headers;
  headers.reserve(usual_count);
  for (const auto& field : fields) {
    auto& [name, value] = headers.emplace_back();
    const auto mixed_case = field.name_string();
    name.resize(mixed_case.size());
    std::transform(mixed_case.begin(), mixed_case.end(), name.begin(), to_lower);
    value.assign(field.value().data(), field.value().size());
  }
  return headers;
}

} // namespace holdfast::http
