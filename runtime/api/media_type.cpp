#include "runtime/api/media_type.hpp"

#include "runtime/http/text.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace holdfast::api {

namespace {

bool is_json(std::string_view content_type) {
  // Blanks are allowed around the semicolon only; without them, two spellings are left.
  std::string compact;
  std::copy_if(content_type.begin(), content_type.end(), std::back_inserter(compact),
               [](char c) { return c != ' ' && c != '\t' && c != '"'; });
  return http::equals_ignoring_case(compact, "application/json")
         || http::equals_ignoring_case(compact, "application/json;charset=utf-8");
}

} // namespace

std::optional<refusal> refuse_media_type(const http::request& request) {
  if (request.body.empty())
    return std::nullopt;
  const auto given = std::count_if(request.headers.begin(), request.headers.end(),
                                   [](const auto& one) { return one.first == "content-type"; });
  if (given == 1 && is_json(request.header("content-type")))
    return std::nullopt;
  return refusal{.status = 415,
                 .code = "unsupported_media_type",
                 .detail = "Send the body as Content-Type: application/json.",
                 .param = {}};
}

} // namespace holdfast::api
