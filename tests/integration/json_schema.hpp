// As much of JSON Schema as our OpenAPI document uses. Pure.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <vector>

namespace holdfast::test {

/// Why the document does not fit the schema, a line a reason ("/data/0/amount: expected …");
/// empty when it does. `$ref` is resolved within `root`. A keyword that is not understood is a
/// finding too, so that no schema passes for having been skipped.
[[nodiscard]] std::vector<std::string> schema_findings(const boost::json::value& document,
                                                       const boost::json::value& schema,
                                                       const boost::json::value& root);

} // namespace holdfast::test
