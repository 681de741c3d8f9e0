// Reads members of JSON that a server of ours sent. What is absent or of another type reads as
// empty: servers and tools may differ by a version.
#pragma once

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::client {

/// The member at a dotted path ("payment_method.last4"); null when there is none.
[[nodiscard]] const boost::json::value* member_at(const boost::json::object& object,
                                                  std::string_view path);
[[nodiscard]] std::string string_at(const boost::json::object& object, std::string_view path);
[[nodiscard]] std::int64_t integer_at(const boost::json::object& object, std::string_view path);
[[nodiscard]] bool flag_at(const boost::json::object& object, std::string_view path);

} // namespace holdfast::client
