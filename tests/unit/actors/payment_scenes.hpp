// The states that a payment can be in, each reached by commands alone, and the commands that
// may meet it there: the two sides of the table of transitions.
#pragma once

#include "tests/unit/actors/fixtures.hpp"

#include <functional>
#include <map>
#include <string>

namespace holdfast::tests {

/// Moves the clock as far as the command needs and makes it, aimed at what the payment has.
using maker = std::function<payments::command(story&)>;

/// By name.
[[nodiscard]] const std::map<std::string, story>& scenes();
[[nodiscard]] const std::map<std::string, maker>& commands();

} // namespace holdfast::tests
