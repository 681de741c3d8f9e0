#include "runtime/api/query.hpp"

#include "runtime/api/strict_json.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::api {

query_reader::query_reader(const http::request& request,
                           std::initializer_list<std::string_view> known)
  : request_(request) {
  for (auto entry = request.query.begin(); entry != request.query.end(); ++entry) {
    const auto& name = entry->first;
    const auto shown = is_showable_name(name) ? std::string_view{name} : std::string_view{};
    if (std::find(known.begin(), known.end(), name) == known.end())
      refuse(shown, "This query parameter is not known here; nothing is ignored silently.");
    else if (std::any_of(request.query.begin(), entry,
                         [&](const auto& earlier) { return earlier.first == name; }))
      refuse(shown, "This query parameter was given twice.");
    else if (entry->second.empty())
      refuse(shown, "This query parameter is empty; leave it out instead.");
  }
}

std::string_view query_reader::text(std::string_view name) const {
  for (const auto& [key, value] : request_.query)
    if (key == name)
      return value;
  return {};
}

std::uint32_t query_reader::limit(std::uint32_t most) {
  const auto parse = [most](std::string_view given) -> expected<std::uint32_t> {
    std::uint32_t value = 0;
    const auto parsed = std::from_chars(given.data(), given.data() + given.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != given.data() + given.size() || value < 1
        || value > most)
      return make_error(errc::invalid_argument,
                        "Expected an integer from 1 to " + std::to_string(most) + ".");
    return value;
  };
  return parsed<std::uint32_t>("limit", parse).value_or(limits::list_limit_default);
}

void query_reader::refuse(std::string_view name, std::string detail) {
  if (!refused_)
    refused_ = refusal{.status = 400,
                       .code = "invalid_parameter",
                       .detail = std::move(detail),
                       .param = std::string{name}};
}

} // namespace holdfast::api
