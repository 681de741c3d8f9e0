// Finds the route of a request in a table of methods and path templates. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::api {

/// "GET", "/v1/payments/{id}/timeline": at most one placeholder, which stands for one segment.
/// Both must outlive the dispatcher: they are literals of a route table.
struct route_shape {
  std::string_view method;
  std::string_view path;
};

struct dispatched {
  std::optional<std::size_t>
    row;                  ///< none: 404, or 405 where `allow` names the methods there are
  std::string_view route; ///< the path's template; empty for a 404
  std::string argument;
  std::string allow; ///< "GET, POST"
};

/// Immutable, hence thread-safe. Paths are compared as they are: no trailing slash, no case.
class dispatcher {
public:
  explicit dispatcher(std::vector<route_shape> table);

  [[nodiscard]] dispatched find(std::string_view method, std::string_view path) const;

private:
  struct pattern {
    route_shape shape;
    std::string_view before; ///< the placeholder
    std::string_view after;
    bool has_placeholder = false;

    [[nodiscard]] bool fits(std::string_view path) const noexcept;
  };

  std::vector<pattern> patterns_;
};

} // namespace holdfast::api
