#include "runtime/embedded/private_config.hpp"

namespace holdfast::embedded {

namespace {

using std::chrono::seconds;

/// The sandbox's slow answer takes five seconds: longer than the patience of a call, shorter
/// than the time after which "not found" is believed.
constexpr seconds gateway_timeout{2};
constexpr seconds gateway_settle_time{6};

config::gateway_settings sandbox_gateway(std::string name, const std::string& url) {
  config::gateway_settings gateway;
  gateway.url = url + "/gateway/" + name;
  gateway.name = std::move(name);
  gateway.timeout = gateway_timeout;
  gateway.settle_time = gateway_settle_time;
  gateway.webhook_secret = "${" + std::string{webhook_variable} + '}';
  return gateway;
}

config::acquirer_settings sandbox_acquirer(std::string name, const std::string& url) {
  config::acquirer_settings acquirer;
  acquirer.url = url + "/acquirer/" + name;
  acquirer.name = std::move(name);
  return acquirer;
}

} // namespace

config::node_config private_config(const private_addresses& addresses) {
  config::node_config node;
  node.id = private_node_id;
  node.key_pepper = "${" + std::string{pepper_variable} + '}';
  node.http.listen = addresses.http;
  node.admin_listen = addresses.admin;
  const auto last_shard = static_cast<std::uint16_t>(node.shards - 1);
  node.databases = {{0, last_shard, addresses.database}};
  node.gateways = {sandbox_gateway("alder", addresses.sandbox),
                   sandbox_gateway("birch", addresses.sandbox)};
  node.acquirers = {sandbox_acquirer("sandbox", addresses.sandbox)};
  config::route_settings everything;
  everything.gateways = {"alder", "birch"};
  everything.acquirer = "sandbox";
  node.routes = {everything};
  return node;
}

config::node_config private_config(const private_addresses& addresses, const std::string& id,
                                   const private_links& links) {
  auto node = private_config(addresses);
  node.id = id;
  node.cluster_listen = links.listen;
  node.cluster_advertise = links.listen;
  node.cluster_seeds = links.seeds;
  node.cluster_tls = links.files;
  return node;
}

} // namespace holdfast::embedded
