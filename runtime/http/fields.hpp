// From Beast's fields to ours. Internal to runtime/http: includes Beast.
#pragma once

#include "runtime/http/message.hpp"

#include <boost/beast/http/fields.hpp>

namespace holdfast::http {

/// Copies the fields in order, their names in lower case.
[[nodiscard]] header_list to_header_list(const boost::beast::http::fields& fields);

} // namespace holdfast::http
