// JSON objects of the API as tables for people. What a row lacks shows as a dash, so that a
// newer command line can talk to an older node.
#pragma once

#include "runtime/console/terminal.hpp"

#include <boost/json/fwd.hpp>

#include <span>
#include <string>
#include <string_view>

namespace holdfast::console {

enum class cell : std::uint8_t {
  text,
  number,
  money, ///< minor units of the row's `currency`
  time,  ///< RFC 3339, shown to the second
  flag,  ///< yes or no
};

/// A column of a table, or a line of an object.
struct view {
  std::string_view title;
  std::string_view path; ///< "payment_method.last4"
  cell kind = cell::text;
};

/// Minor units with the currency's decimals, without its code: "1,234.50".
[[nodiscard]] std::string amount_text(std::int64_t minor_units, std::string_view currency);

/// A table with a row for each object.
[[nodiscard]] std::string rows_text(const boost::json::array& rows,
                                    std::span<const view> columns, const terminal& out,
                                    std::size_t indent = 0);
/// One line for each member that the object has.
[[nodiscard]] std::string object_text(const boost::json::object& object,
                                      std::span<const view> lines);

} // namespace holdfast::console
