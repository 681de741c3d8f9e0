// The flags that `dev` and `demo` share.
#pragma once

#include "runtime/cli/signals.hpp"
#include "runtime/embedded/installation.hpp"

#include <string>

namespace CLI {
class App;
}

namespace holdfast::cli {

struct private_flags {
  std::string data; ///< empty: the command's own default
  std::string http = "127.0.0.1:8080";
  std::string admin = "127.0.0.1:8081";
  std::string sandbox = "127.0.0.1:8082";
  std::string cluster = "127.0.0.1:8090";
  std::size_t nodes = 1;
  bool restart_node = false;
};

/// The flags' defaults are what `flags` holds; it must outlive the parsing.
void add_private_flags(CLI::App& command, private_flags& flags);

/// `data` has been filled in. Progress is told on stderr.
[[nodiscard]] embedded::installation_options to_options(const private_flags& flags,
                                                        signals& heard);

} // namespace holdfast::cli
