// The configuration of a private node: what `holdfast dev` would have written by hand.
#pragma once

#include "runtime/config/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::embedded {

struct private_addresses {
  std::string http;     ///< "host:port"
  std::string admin;    ///< "host:port"
  std::string sandbox;  ///< URL
  std::string database; ///< libpq URL
};

/// What a node of several has besides.
struct private_links {
  std::string listen; ///< "host:port"
  std::vector<std::string> seeds;
  config::tls_files files;
};

inline constexpr std::string_view private_node_id = "node-1";
/// The pepper stays out of the file: it is handed to the node in this variable.
inline constexpr std::string_view pepper_variable = "HOLDFAST_KEY_PEPPER";
/// Likewise the secret that the sandbox's webhooks are to be signed with.
inline constexpr std::string_view webhook_variable = "HOLDFAST_WEBHOOK_SECRET";

/// Of the node `private_node_id`, alone.
[[nodiscard]] config::node_config private_config(const private_addresses& addresses);
/// Of one of several.
[[nodiscard]] config::node_config private_config(const private_addresses& addresses,
                                                 const std::string& id,
                                                 const private_links& links);

} // namespace holdfast::embedded
