// The OpenAPI 3.1 document of the public API, made of the route table. Pure.
#pragma once

#include "runtime/api/public_routes.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::api {

/// Byte-stable: the same for the same build.
[[nodiscard]] std::string render_openapi(std::span<const route_row> rows);

/// A component by name, as JSON text.
using openapi_component = std::pair<std::string_view, std::string_view>;

[[nodiscard]] std::span<const openapi_component> openapi_schemas() noexcept;
[[nodiscard]] std::span<const openapi_component> openapi_parameters() noexcept;

} // namespace holdfast::api
