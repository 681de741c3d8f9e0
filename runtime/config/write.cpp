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

std::string any_of(const std::vector<std::string>& texts) {
  return texts.empty() ? quoted("*") : quoted(texts);
}

std::string list(const std::vector<std::uint32_t>& numbers) {
  std::string out;
  for (const auto number : numbers)
    out += (out.empty() ? "" : ", ") + std::to_string(number);
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
  if (config.cluster_advertise != config.cluster_listen)
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
      << "\nsettle_time = " << quoted(gateway.settle_time);
  if (!gateway.webhook_secret.empty())
    out << "\nwebhook_secret = " << quoted(gateway.webhook_secret);
  if (!gateway.unknown_outcome.empty())
    out << "\nunknown_outcome = " << quoted(gateway.unknown_outcome);
  out << "\nbreaker = { window = " << quoted(breaker.window)
      << ", min_calls = " << breaker.min_calls << ", error_rate = " << breaker.error_rate
      << ", slow_call = " << quoted(breaker.slow_call) << ", slow_rate = " << breaker.slow_rate
      << ", open_for = " << quoted(breaker.open_for) << ", probes = " << breaker.probes
      << ", probe_successes = " << breaker.probe_successes
      << ", retry_share = " << breaker.retry_share << ", retry_rate = " << breaker.retry_rate
      << ", recovery_rate = " << breaker.recovery_rate << " }\n";
}

void write_acquirer(std::ostream& out, const acquirer_settings& acquirer) {
  out << "\n[[acquirers]]\nname = " << quoted(acquirer.name)
      << "\nkind = " << quoted(acquirer.kind) << "\nurl = " << quoted(acquirer.url)
      << "\nformat = " << quoted(acquirer.format) << "\ntimeout = " << quoted(acquirer.timeout)
      << '\n';
}

void write_route(std::ostream& out, const route_settings& route) {
  out << "\n[[routes]]\nmerchant = " << any_of(route.merchant)
      << "\ncurrency = " << any_of(route.currency) << "\nregion = " << any_of(route.region)
      << "\nbrand = " << any_of(route.brand) << "\npriority = " << route.priority
      << "\ngateways = " << quoted(route.gateways);
  if (!route.weights.empty())
    out << "\nweights = " << list(route.weights);
  out << "\nacquirer = " << quoted(route.acquirer) << '\n';
}

void write_payments(std::ostream& out, const payment_settings& payments) {
  out << "\n[payments]\nunknown_outcome = " << quoted(payments.unknown_outcome)
      << "\nresolve_within = " << quoted(payments.resolve_within)
      << "\nretryable_declines = " << quoted(payments.retryable_declines)
      << "\n\n[payments.expiry]\ndefault = " << quoted(payments.expiry) << '\n';
  for (const auto& [brand, lifetime] : payments.expiry_by_brand)
    out << brand << " = " << quoted(lifetime) << '\n';
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
      << "\nanswer_deadline = " << quoted(settlement.answer_deadline)
      << "\nsilent_retry = " << quoted(settlement.silent_retry)
      << "\norphan_search = " << quoted(settlement.orphan_search)
      << "\norphan_window = " << quoted(settlement.orphan_window) << '\n';
  write_payments(out, config.payments);
  return out.str();
}

} // namespace holdfast::config
