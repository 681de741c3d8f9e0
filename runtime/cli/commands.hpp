// The subcommands, each defined in a file of its own. A command only notes what is to be done
// while the line is parsed; `run` does it afterwards.
#pragma once

#include "messages/expected.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace holdfast::cli {

enum exit_code : int { exit_done = 0, exit_failed = 1, exit_usage = 2 };

using action = std::function<int()>;

void add_dev(CLI::App& app, action& chosen);
void add_demo(CLI::App& app, action& chosen);
void add_node(CLI::App& app, action& chosen);
void add_init(CLI::App& app, action& chosen);
void add_certs(CLI::App& app, action& chosen);
void add_sandbox(CLI::App& app, action& chosen);
void add_ctl(CLI::App& app, action& chosen);
void add_sim(CLI::App& app, action& chosen);
void add_bench(CLI::App& app, action& chosen);

/// Prints the error on stderr. 2 when the caller's input is at fault, else 1.
int report(const error& failure);

} // namespace holdfast::cli
