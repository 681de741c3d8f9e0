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
  command
    .add_option("--nodes", flags.nodes, "How many nodes; several are a cluster with mutual TLS")
    ->check(CLI::Range(std::size_t{1}, embedded::installation::nodes_max))
    ->capture_default_str();
  command
    .add_option("--cluster", flags.cluster,
                "Where the first of several nodes listens for others")
    ->check(address)
    ->capture_default_str();
}

embedded::installation_options to_options(const private_flags& flags, signals& heard) {
  embedded::installation_options options;
  options.data = flags.data;
  options.http = flags.http;
  options.admin = flags.admin;
  options.sandbox = flags.sandbox;
  options.cluster = flags.cluster;
  options.nodes = flags.nodes;
  options.restart_node = flags.restart_node;
  options.interrupted = [&heard] { return heard.asked_to_stop(); };
  options.tell = [out = console::terminal::of(2)](const std::string& text) {
    std::fprintf(stderr, "%s\n", out.dim(text + (out.utf8 ? " …" : " ...")).c_str());
  };
  return options;
}

} // namespace holdfast::cli
