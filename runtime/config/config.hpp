// A node's configuration, checked and complete: what runtime code reads instead of TOML.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::config {

struct tls_files {
  std::string certificate;
  std::string key;
  std::string ca; ///< cluster only
};

struct breaker_settings {
  double error_rate = 0.5;      ///< opens at this share of failed calls …
  std::uint32_t calls_min = 20; ///< … of at least so many in the window
  milliseconds window{10'000};
  milliseconds open_for{2'000};
  std::uint32_t probes = 3; ///< calls let through half-open
};

struct gateway_settings {
  std::string name;
  std::string kind = "sandbox";
  std::string url;
  milliseconds timeout{3'000};
  std::uint32_t concurrency = 256;
  breaker_settings breaker;
  milliseconds settle_time{10'000}; ///< After which "not found" is believed.
};

struct acquirer_settings {
  std::string name;
  std::string kind = "sandbox";
  std::string url;
  std::string format = "csv";
  milliseconds timeout{30'000};
};

struct route_settings {
  std::string merchant = "*";
  std::string currency = "*";
  std::string region = "*";
  std::vector<std::string> gateways;
  std::string acquirer;
};

struct database_settings {
  std::uint16_t first_shard = 0;
  std::uint16_t last_shard = 0; ///< inclusive
  std::string url;
};

struct settlement_settings {
  std::string cutoff = "23:30"; ///< local time of day
  std::string zone = "UTC";     ///< IANA name
  std::uint32_t max_items = 10'000;
  std::uint32_t platform_fee_bps = 30;
};

struct http_settings {
  std::string listen = "127.0.0.1:8080";
  std::optional<tls_files> tls;
  std::size_t connections_max = 4'096;
  std::size_t body_bytes_max = 256 * 1024;
  std::uint32_t requests_per_second = 0; ///< per merchant; 0: no limit
};

struct node_config {
  std::string id = "node-1";
  bool serve_http = true;
  bool serve_shards = true;
  std::string log_level = "info";
  std::string log_format = "json"; ///< or "text"
  /// Secret of the API keys' HMAC, at least 32 bytes.
  std::string key_pepper;
  http_settings http;
  std::string admin_listen = "127.0.0.1:8081";
  std::string cluster_name = "holdfast";
  std::string cluster_listen; ///< empty: no cluster port
  std::string cluster_advertise;
  std::vector<std::string> cluster_seeds;
  std::optional<tls_files> cluster_tls;
  std::uint16_t shards = 32;
  milliseconds lease{3'000};
  std::vector<database_settings> databases;
  std::vector<gateway_settings> gateways;
  std::vector<acquirer_settings> acquirers;
  std::vector<route_settings> routes;
  settlement_settings settlement;
  milliseconds authorization_lifetime{7LL * 24 * 3600 * 1000};
};

/// Reads and checks a TOML file. Errors: invalid_argument, whose detail is "file:line: what is
/// wrong and what was expected", one line an error.
[[nodiscard]] expected<node_config> load(const std::string& path);

/// The file that `load` reads back as this configuration. A value such as "${NAME}" stays as it
/// is: that is how the file of a private node keeps its secrets outside.
[[nodiscard]] std::string to_toml(const node_config& config);

} // namespace holdfast::config
