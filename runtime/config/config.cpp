#include "runtime/config/config.hpp"

#include "messages/ids.hpp"
#include "messages/limits.hpp"
#include "messages/money.hpp"
#include "runtime/config/read_route.hpp"
#include "runtime/config/reader.hpp"
#include "runtime/config/values.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace holdfast::config {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

text_check one_of(std::initializer_list<std::string_view> words) {
  return [list = std::vector<std::string_view>{words}](std::string_view text) {
    if (std::ranges::find(list, text) != list.end())
      return std::string{};
    std::string out = "expected one of";
    for (const auto word : list)
      out += " \"" + std::string{word} + '"';
    return out;
  };
}

std::string check_pepper(std::string_view text) {
  return text.size() < limits::key_pepper_bytes_min
           ? "expected at least " + std::to_string(limits::key_pepper_bytes_min) + " bytes"
           : std::string{};
}

std::string check_webhook_secret(std::string_view text) {
  return text.size() < limits::webhook_secret_bytes_min
           ? "expected at least " + std::to_string(limits::webhook_secret_bytes_min) + " bytes"
           : std::string{};
}

std::string check_not_empty(std::string_view text) {
  return text.empty() ? "expected a path" : std::string{};
}

std::string check_unknown_outcome(std::string_view text) {
  return one_of({"resolve_then_fail", "resolve_then_failover"})(text);
}

/// What the issuer means for good must not be asked of another gateway: schemes fine for it.
std::string check_retryable(std::string_view code) {
  static constexpr std::array<std::string_view, 7> hard{
    "lost_card",    "stolen_card",      "pickup_card",    "fraudulent",
    "expired_card", "incorrect_number", "revoked_consent"};
  if (code.empty() || code.size() > limits::decline_code_bytes_max)
    return "expected a decline's code";
  return std::ranges::find(hard, code) == hard.end()
           ? std::string{}
           : "expected a decline that another gateway may not repeat";
}

// -- one function a table of the file
// --------------------------------------------------------------

void read_tls(table_reader& in, std::string_view key, bool with_ca,
              std::optional<tls_files>& target) {
  in.section(key, [&](table_reader& tls) {
    tls_files files;
    tls.require("certificate");
    tls.read("certificate", files.certificate, check_not_empty);
    tls.require("key");
    tls.read("key", files.key, check_not_empty);
    if (with_ca) {
      tls.require("ca");
      tls.read("ca", files.ca, check_not_empty);
    }
    target = std::move(files);
  });
}

void read_node(table_reader& in, node_config& out) {
  in.read("id", out.id, check_name);
  std::vector<std::string> roles{"http", "shards"};
  in.read("roles", roles, one_of({"http", "shards"}));
  if (roles.empty())
    in.complain("roles", "expected at least one of \"http\" and \"shards\"");
  out.serve_http = std::ranges::find(roles, "http") != roles.end();
  out.serve_shards = std::ranges::find(roles, "shards") != roles.end();
  in.section("log", [&](table_reader& log) {
    log.read("level", out.log_level, one_of({"trace", "debug", "info", "warn", "error"}));
    log.read("format", out.log_format, one_of({"json", "text"}));
  });
}

void read_http(table_reader& in, node_config& out) {
  in.read("listen", out.http.listen, check_address);
  in.read("key_pepper", out.key_pepper, check_pepper, visibility::secret);
  read_tls(in, "tls", false, out.http.tls);
  in.section("limits", [&](table_reader& limit) {
    limit.read("connections_max", out.http.connections_max, 1, limits::config_connections_max);
    limit.read("body_bytes_max", out.http.body_bytes_max, 1'024, limits::config_body_bytes_max);
    limit.read("requests_per_second", out.http.requests_per_second, 0, 1'000'000);
  });
}

/// Links in plain text lead nowhere else, whoever is at the other end.
void check_loopback(table_reader& in, const node_config& out) {
  const auto leads_away = [](const std::string& address) {
    return parse_address(address)->host != "127.0.0.1";
  };
  const auto refuse = [&](const char* key) {
    in.complain(key,
                "--insecure-loopback goes with 127.0.0.1 alone; elsewhere it needs "
                "tls = {certificate, key, ca}");
  };
  if (leads_away(out.cluster_listen))
    refuse("listen");
  if (in.has("advertise") && leads_away(out.cluster_advertise))
    refuse("advertise");
  if (std::ranges::any_of(out.cluster_seeds, leads_away))
    refuse("seeds");
}

/// CAF verifies nothing unless it is given all three files: no cluster port without them.
void check_link_security(table_reader& in, node_config& out) {
  if (out.cluster_tls) {
    out.cluster_insecure_loopback = false;
    return;
  }
  if (!out.cluster_insecure_loopback)
    in.complain("listen",
                "needs tls = {certificate, key, ca}: nodes must prove who they are "
                "(`holdfast certs` makes them)");
  else
    check_loopback(in, out);
}

/// Where others are told to find this node; `listen` is fine.
void read_advertise(table_reader& in, node_config& out) {
  if (in.has("advertise")) {
    in.read("advertise", out.cluster_advertise, check_peer_address);
    return;
  }
  out.cluster_advertise = out.cluster_listen;
  if (parse_address(out.cluster_listen)->is_everywhere())
    in.complain("listen",
                "needs advertise = \"host:port\" besides: other nodes can't connect to "
                  + out.cluster_listen);
}

void read_cluster(table_reader& in, node_config& out) {
  in.read("name", out.cluster_name, check_name);
  in.read("listen", out.cluster_listen, check_address);
  in.read("seeds", out.cluster_seeds, check_peer_address);
  read_tls(in, "tls", true, out.cluster_tls);
  in.read("shards", out.shards, 1, limits::shards_max);
  in.read("lease", out.lease, milliseconds{500}, minutes{1});
  if (!out.cluster_listen.empty()) {
    read_advertise(in, out);
    check_link_security(in, out);
    return;
  }
  in.read("advertise", out.cluster_advertise, check_peer_address);
  // One that is there and wrong has been complained about.
  if (!in.has("listen"))
    for (const auto* key : {"advertise", "seeds", "tls"})
      if (in.has(key))
        in.complain(key, "needs listen = \"host:port\": without it the node has no links");
}

void read_breaker(table_reader& in, breaker_settings& out) {
  in.read("window", out.window, milliseconds{100}, hours{1});
  in.read("min_calls", out.min_calls, 1, 1'000'000);
  in.read("error_rate", out.error_rate, 0.01, 1.0);
  in.read("slow_call", out.slow_call, milliseconds{1}, minutes{5});
  in.read("slow_rate", out.slow_rate, 0.01, 1.0);
  in.read("open_for", out.open_for, milliseconds{10}, hours{1});
  in.read("probes", out.probes, 1, 1'000);
  out.probe_successes = out.probes;
  in.read("probe_successes", out.probe_successes, 1, out.probes);
  in.read("retry_share", out.retry_share, 0.0, 1.0);
  in.read("retry_rate", out.retry_rate, 1, limits::config_calls_a_second_max);
  in.read("recovery_rate", out.recovery_rate, 1, limits::config_calls_a_second_max);
}

template <class Settings>
void read_name(table_reader& in, Settings& out, const std::vector<Settings>& others) {
  in.require("name");
  in.read("name", out.name, check_name);
  const auto is_same = [&](const Settings& other) { return other.name == out.name; };
  if (!out.name.empty() && std::ranges::any_of(others, is_same))
    in.complain("name", "\"" + out.name + "\" is taken by another one");
}

void read_gateway(table_reader& in, node_config& out) {
  gateway_settings gateway;
  read_name(in, gateway, out.gateways);
  in.read("kind", gateway.kind, one_of({"sandbox"}));
  in.require("url");
  in.read("url", gateway.url, check_http_url);
  in.read("timeout", gateway.timeout, milliseconds{10}, minutes{5});
  in.read("concurrency", gateway.concurrency, 1, limits::config_concurrency_max);
  in.section("breaker", [&](table_reader& breaker) { read_breaker(breaker, gateway.breaker); });
  in.read("settle_time", gateway.settle_time, milliseconds{0}, hours{24});
  in.read("webhook_secret", gateway.webhook_secret, check_webhook_secret, visibility::secret);
  in.read("unknown_outcome", gateway.unknown_outcome, check_unknown_outcome);
  out.gateways.push_back(std::move(gateway));
}

void read_acquirer(table_reader& in, node_config& out) {
  acquirer_settings acquirer;
  read_name(in, acquirer, out.acquirers);
  in.read("kind", acquirer.kind, one_of({"sandbox"}));
  in.require("url");
  in.read("url", acquirer.url, check_http_url);
  in.read("format", acquirer.format, one_of({"csv"}));
  in.read("timeout", acquirer.timeout, milliseconds{10}, minutes{10});
  out.acquirers.push_back(std::move(acquirer));
}

void read_database(table_reader& in, node_config& out) {
  database_settings database;
  in.require("shards");
  std::string range;
  in.read("shards", range, [](std::string_view text) {
    return parse_shard_range(text) ? std::string{} : "expected a range such as \"0-31\"";
  });
  in.require("url");
  in.read("url", database.url, check_database_url, visibility::secret);
  if (range.empty())
    return;
  const auto shards = *parse_shard_range(range);
  const auto first = database.first_shard = shards.first.value;
  const auto last = database.last_shard = shards.last.value;
  if (last >= out.shards)
    in.complain("shards", "goes beyond the last shard, " + std::to_string(out.shards - 1)
                            + " ([cluster] shards = " + std::to_string(out.shards) + ")");
  for (const auto& other : out.databases) {
    if (first <= other.last_shard && other.first_shard <= last)
      in.complain("shards", "overlaps the range " + std::to_string(other.first_shard) + '-'
                              + std::to_string(other.last_shard) + " of another database");
  }
  // Two ranges in one database would share its shards' rows, leases and marks.
  if (!database.url.empty()
      && std::ranges::find(out.databases, database.url, &database_settings::url)
           != out.databases.end())
    in.complain("url", "is that of another range too: each needs a database of its own");
  out.databases.push_back(std::move(database));
}

void read_settlement(table_reader& in, node_config& out) {
  in.read("cutoff", out.settlement.cutoff, check_time_of_day);
  in.read("zone", out.settlement.zone, check_zone);
  in.read("max_items", out.settlement.max_items, 1, limits::config_batch_items_max);
  in.read("platform_fee_bps", out.settlement.platform_fee_bps, 0, 10'000);
  in.read("answer_deadline", out.settlement.answer_deadline, seconds{1}, hours{24 * 30});
  in.read("silent_retry", out.settlement.silent_retry, seconds{1}, hours{24});
  in.read("orphan_search", out.settlement.orphan_search, seconds{1}, hours{24});
  in.read("orphan_window", out.settlement.orphan_window, seconds{1}, hours{24 * 30});
}

void read_expiry(table_reader& in, payment_settings& out) {
  const auto read = [&](std::string_view key, milliseconds& target) {
    in.read(key, target, seconds{1}, hours{24 * 365});
  };
  read("default", out.expiry);
  for (const auto* brand : {"visa", "mastercard", "amex", "discover"})
    if (in.has(brand))
      read(brand, out.expiry_by_brand[brand]);
}

void read_payments(table_reader& in, payment_settings& out) {
  in.read("unknown_outcome", out.unknown_outcome, check_unknown_outcome);
  in.read("resolve_within", out.resolve_within, seconds{1}, hours{24 * 30});
  in.read("retryable_declines", out.retryable_declines, check_retryable);
  if (out.retryable_declines.size() > limits::retryable_declines_max)
    in.complain("retryable_declines",
                "expected at most " + std::to_string(limits::retryable_declines_max));
  in.section("expiry", [&](table_reader& expiry) { read_expiry(expiry, out); });
}

void check_coverage(table_reader& in, const node_config& out) {
  std::vector<bool> covered(out.shards, false);
  for (const auto& database : out.databases) {
    for (int shard = database.first_shard; shard <= database.last_shard && shard < out.shards;
         ++shard)
      covered[static_cast<std::size_t>(shard)] = true;
  }
  const auto gap = std::ranges::find(covered, false);
  if (gap != covered.end())
    in.complain("databases", "no database has shard " + std::to_string(gap - covered.begin())
                               + " of 0-" + std::to_string(out.shards - 1));
}

void read_storage(table_reader& root, node_config& out) {
  root.require("storage");
  root.section("storage", [&](table_reader& storage) {
    std::size_t tables = 0;
    storage.each("databases", [&](table_reader& in) {
      ++tables;
      read_database(in, out);
    });
    // A range that could not be read would make gaps that are not there.
    if (out.databases.size() == tables)
      check_coverage(storage, out);
    std::ranges::sort(out.databases, {}, &database_settings::first_shard);
  });
}

node_config read_root(const toml::table& file, loopback links, findings& wrong) {
  node_config out;
  out.cluster_insecure_loopback = links == loopback::insecure;
  table_reader root{file, "", wrong};
  root.section("node", [&](table_reader& in) { read_node(in, out); });
  root.section("http", [&](table_reader& in) { read_http(in, out); });
  root.section("admin",
               [&](table_reader& in) { in.read("listen", out.admin_listen, check_address); });
  root.section("cluster", [&](table_reader& in) { read_cluster(in, out); });
  read_storage(root, out);
  root.each("gateways", [&](table_reader& in) { read_gateway(in, out); });
  root.each("acquirers", [&](table_reader& in) { read_acquirer(in, out); });
  root.each("routes", [&](table_reader& in) { read_route(in, out); });
  root.section("settlement", [&](table_reader& in) { read_settlement(in, out); });
  root.section("payments", [&](table_reader& in) { read_payments(in, out.payments); });
  for (const auto* key : {"gateways", "acquirers", "routes"})
    root.require(key);
  if (!file["http"]["key_pepper"])
    root.complain("http", "key_pepper is missing, the secret under which API keys are hashed");
  root.finish();
  return out;
}

} // namespace

shard_layout layout_of(const node_config& config) {
  std::vector<holdfast::shard_range> ranges;
  for (const auto& database : config.databases)
    ranges.push_back({{database.first_shard}, {database.last_shard}});
  return shard_layout{std::move(ranges)};
}

expected<node_config> load(const std::string& path, loopback links) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(path, failure))
    return make_error(errc::invalid_argument, path + ":1: there is no such file");
  findings wrong{path};
  try {
    const auto file = toml::parse_file(path);
    auto config = read_root(file, links, wrong);
    config.file = path;
    if (wrong.empty())
      return config;
  } catch (const toml::parse_error& bad) {
    wrong.add(static_cast<std::uint32_t>(bad.source().begin.line),
              "not TOML: " + std::string{bad.description()});
  }
  return make_error(errc::invalid_argument, wrong.text());
}

} // namespace holdfast::config
