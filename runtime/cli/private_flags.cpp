#include "runtime/cli/private_flags.hpp"

#include "runtime/config/values.hpp"
#include "runtime/console/terminal.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace holdfast::cli {

void add_private_flags(CLI::App& command, private_flags& flags) {
  const CLI::Validator address{[](std::string& text) { return config::check_address(text); },
                               "HOST:PORT"};
  command.add_option("--http", flags.http, "Where the API listens; port 0 is any free one")
    ->check(address)
    ->capture_default_str();
  command.add_option("--admin", flags.admin, "Where the admin port listens")
    ->check(address)
    ->capture_default_str();
  command.add_option("--sandbox", flags.sandbox, "Where the sandbox listens")
    ->check(address)
    ->capture_default_str();
  command.add_option("--nodes", flags.nodes, "How many nodes")->capture_default_str();
}

expected<void> check(const private_flags& flags) {
  if (flags.nodes < 1)
    return make_error(errc::invalid_argument, "--nodes: expected at least 1");
  if (flags.nodes > 1)
    return make_error(errc::invalid_argument,
                      "--nodes: only 1 works in this release; clusters come with the cluster "
                      "milestone");
  return {};
}

embedded::installation_options to_options(const private_flags& flags, signals& heard) {
  embedded::installation_options options;
  options.data = flags.data;
  options.http = flags.http;
  options.admin = flags.admin;
  options.sandbox = flags.sandbox;
  options.restart_node = flags.restart_node;
  options.interrupted = [&heard] { return heard.asked_to_stop(); };
  options.tell = [out = console::terminal::of(2)](const std::string& text) {
    std::fprintf(stderr, "%s\n", out.dim(text + (out.utf8 ? " …" : " ...")).c_str());
  };
  return options;
}

} // namespace holdfast::cli
