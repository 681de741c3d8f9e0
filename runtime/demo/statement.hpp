// The statement of a sandbox day, for people and for machines.
#pragma once

#include "runtime/console/terminal.hpp"
#include "runtime/demo/day.hpp"

#include <string>

namespace holdfast::demo {

/// What a person wants to read at the end of the day.
[[nodiscard]] std::string statement_text(const day_result& day, const console::terminal& out);
/// The same as one JSON object; amounts in minor units.
[[nodiscard]] std::string statement_json(const day_result& day);

} // namespace holdfast::demo
