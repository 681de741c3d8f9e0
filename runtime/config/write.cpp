// The other direction: a configuration as the file that would give it.
#include "runtime/config/config.hpp"
#include "runtime/config/values.hpp"

#include <cstdio>
#include <sstream>
#include <string_view>

namespace holdfast::config {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts)
    out += (out.empty() ? "" : ", ") + quoted(text);
  return '[' + out + ']';
}

std::string quoted(milliseconds duration) {
  return quoted(duration_text(duration));
}

void write_tls(std::ostream& out, const std::optional<tls_files>& tls) {
  if (!tls)
    return;
  out << "tls = { certificate = " << quoted(tls->certificate) << ", key = " << quoted(tls->key);
  if (!tls->ca.empty())
    out << ", ca = " << quoted(tls->ca);
  out << " }\n";
}

void write_ports(std::ostream& out, const node_config& config) {
  std::vector<std::string> roles;
  if (config.serve_http)
    roles.emplace_back("http");
  if (config.serve_shards)
    roles.emplace_back("shards");
  out << "[node]\nid = " << quoted(config.id) << "\nroles = " << quoted(roles)
      << "\nlog = { level = " << quoted(config.log_level)
      << ", format = " << quoted(config.log_format) << " }\n";
  const auto& http = config.http;
  out << "\n[http]\nlisten = " << quoted(http.listen)
      << "\nkey_pepper = " << quoted(config.key_pepper)
      << "\nlimits = { connections_max = " << http.connections_max
      << ", body_bytes_max = " << http.body_bytes_max
      << ", requests_per_second = " << http.requests_per_second << " }\n";
  write_tls(out, http.tls);
  out << "\n[admin]\nlisten = " << quoted(config.admin_listen) << '\n';
}

void write_cluster(std::ostream& out, const node_config& config) {
  out << "\n[cluster]\nname = " << quoted(config.cluster_name) << "\nshards = " << config.shards
      << "\nlease = " << quoted(config.lease) << '\n';
  if (!config.cluster_listen.empty())
    out << "listen = " << quoted(config.cluster_listen) << '\n';
  if (!config.cluster_advertise.empty())
    out << "advertise = " << quoted(config.cluster_advertise) << '\n';
  if (!config.cluster_seeds.empty())
    out << "seeds = " << quoted(config.cluster_seeds) << '\n';
  write_tls(out, config.cluster_tls);
  for (const auto& database : config.databases) {
    out << "\n[[storage.databases]]\nshards = "
        << quoted(std::to_string(database.first_shard) + '-'
                  + std::to_string(database.last_shard))
        << "\nurl = " << quoted(database.url) << '\n';
  }
}

void write_gateway(std::ostream& out, const gateway_settings& gateway) {
  const auto& breaker = gateway.breaker;
  out << "\n[[gateways]]\nname = " << quoted(gateway.name)
      << "\nkind = " << quoted(gateway.kind) << "\nurl = " << quoted(gateway.url)
      << "\ntimeout = " << quoted(gateway.timeout) << "\nconcurrency = " << gateway.concurrency
      << "\nsettle_time = " << quoted(gateway.settle_time)
      << "\nbreaker = { error_rate = " << breaker.error_rate
      << ", calls_min = " << breaker.calls_min << ", window = " << quoted(breaker.window)
      << ", open_for = " << quoted(breaker.open_for) << ", probes = " << breaker.probes
      << " }\n";
}

void write_acquirer(std::ostream& out, const acquirer_settings& acquirer) {
  out << "\n[[acquirers]]\nname = " << quoted(acquirer.name)
      << "\nkind = " << quoted(acquirer.kind) << "\nurl = " << quoted(acquirer.url)
      << "\nformat = " << quoted(acquirer.format) << "\ntimeout = " << quoted(acquirer.timeout)
      << '\n';
}

void write_route(std::ostream& out, const route_settings& route) {
  out << "\n[[routes]]\nmerchant = " << quoted(route.merchant)
      << "\ncurrency = " << quoted(route.currency) << "\nregion = " << quoted(route.region)
      << "\ngateways = " << quoted(route.gateways) << "\nacquirer = " << quoted(route.acquirer)
      << '\n';
}

} // namespace

std::string to_toml(const node_config& config) {
  std::ostringstream out;
  write_ports(out, config);
  write_cluster(out, config);
  for (const auto& gateway : config.gateways)
    write_gateway(out, gateway);
  for (const auto& acquirer : config.acquirers)
    write_acquirer(out, acquirer);
  for (const auto& route : config.routes)
    write_route(out, route);
  const auto& settlement = config.settlement;
  out << "\n[settlement]\ncutoff = " << quoted(settlement.cutoff)
      << "\nzone = " << quoted(settlement.zone) << "\nmax_items = " << settlement.max_items
      << "\nplatform_fee_bps = " << settlement.platform_fee_bps
      << "\n\n[payments]\nauthorization_lifetime = " << quoted(config.authorization_lifetime)
      << '\n';
  return out.str();
}

} // namespace holdfast::config
