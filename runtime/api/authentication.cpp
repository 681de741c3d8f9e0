#include "runtime/api/authentication.hpp"

#include "runtime/http/text.hpp"

#include <algorithm>

namespace holdfast::api {

namespace {

constexpr std::string_view code_required = "authentication_required";
constexpr std::string_view code_unknown = "invalid_api_key";

} // namespace

checked<std::string_view> read_bearer_key(const http::header_list& headers) {
  constexpr std::string_view scheme = "bearer ";
  const auto is_authorization = [](const auto& header) {
    return header.first == "authorization";
  };
  const auto header = std::find_if(headers.begin(), headers.end(), is_authorization);
  const bool only_one =
    header != headers.end()
    && std::find_if(std::next(header), headers.end(), is_authorization) == headers.end();
  const auto text = only_one ? std::string_view{header->second} : std::string_view{};
  if (!http::equals_ignoring_case(text.substr(0, scheme.size()), scheme))
    return refusal{.status = 401,
                   .code = code_required,
                   .detail = "Send one Authorization header: Bearer and your API key.",
                   .param = {}};
  return text.substr(std::min(text.find_first_not_of(' ', scheme.size()), text.size()));
}

refusal unknown_key() {
  return {.status = 401,
          .code = code_unknown,
          .detail = "This API key is not known or was revoked.",
          .param = {}};
}

std::string_view challenge_for(const refusal& why) noexcept {
  return why.code == code_unknown ? R"(Bearer realm="holdfast", error="invalid_token")"
                                  : R"(Bearer realm="holdfast")";
}

} // namespace holdfast::api
