// A node's configuration, checked and complete: what runtime code reads instead of TOML.
#pragma once

#include "messages/expected.hpp"
#include "messages/shard.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::config {

struct tls_files {
  std::string certificate;
  std::string key;
  std::string ca; ///< cluster only
};

/// actors/gateway/gate.hpp says what each of them does.
struct breaker_settings {
  milliseconds window{10'000};
  std::uint32_t min_calls = 20;
  double error_rate = 0.5;
  milliseconds slow_call{2'000};
  double slow_rate = 0.8;
  milliseconds open_for{2'000};
  std::uint32_t probes = 3;
  std::uint32_t probe_successes = 3; ///< all probes, unless the file says otherwise
  double retry_share = 0.2;
  std::uint32_t retry_rate = 50;     ///< a second
  std::uint32_t recovery_rate = 100; ///< a second
};

struct gateway_settings {
  std::string name;
  std::string kind = "sandbox";
  std::string url;
  milliseconds timeout{3'000};
  std::uint32_t concurrency = 256;
  breaker_settings breaker;
  milliseconds settle_time{10'000}; ///< After which "not found" is believed.
  std::string webhook_secret;       ///< Signs the gateway's webhooks; empty: it sends none.
  std::string unknown_outcome;      ///< as in [payments], for this gateway; empty: as there
};

struct acquirer_settings {
  std::string name;
  std::string kind = "sandbox";
  std::string url;
  std::string format = "csv";
  milliseconds timeout{30'000};
};

/// An empty list fits anything; "*" in the file.
struct route_settings {
  std::vector<std::string> merchant = {};
  std::vector<std::string> currency = {};
  std::vector<std::string> region = {};
  std::vector<std::string> brand = {};
  std::uint32_t priority = 100; ///< the lowest that fits wins
  std::vector<std::string> gateways = {};
  std::vector<std::uint32_t> weights = {}; ///< one a gateway; empty: in order
  std::string acquirer = {};
  std::uint32_t line = 0; ///< of the file
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
  /// From when a person is told that an acquirer doesn't answer; then it is asked this often.
  milliseconds answer_deadline{24LL * 3600 * 1000};
  milliseconds silent_retry{15LL * 60 * 1000};
  /// Between two searches for orphans, and how far back each looks.
  milliseconds orphan_search{5LL * 60 * 1000};
  milliseconds orphan_window{24LL * 3600 * 1000};
};

struct payment_settings {
  /// "resolve_then_fail" or "resolve_then_failover".
  std::string unknown_outcome = "resolve_then_fail";
  milliseconds resolve_within{24LL * 3600 * 1000}; ///< Then a person is asked.
  /// Codes of declines after which the next gateway of the route is asked.
  std::vector<std::string> retryable_declines{"processing_error", "issuer_unavailable",
                                              "try_again_later"};
  milliseconds expiry{7LL * 24 * 3600 * 1000};         ///< of a hold that is not captured …
  std::map<std::string, milliseconds> expiry_by_brand; ///< … where a brand differs
};

struct http_settings {
  std::string listen = "127.0.0.1:8080";
  std::optional<tls_files> tls;
  std::size_t connections_max = 4'096;
  std::size_t body_bytes_max = 256 * 1024;
  std::uint32_t requests_per_second = 0; ///< per merchant; 0: no limit
};

struct node_config {
  std::string file; ///< that it was read from; empty: none
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
  /// Where other nodes reach it: cluster_listen, unless the file says otherwise. Its port is 0
  /// only if that of cluster_listen is, and stands for the one that this turns out to be.
  std::string cluster_advertise;
  std::vector<std::string> cluster_seeds;
  std::optional<tls_files> cluster_tls;
  /// Links in plain text, on 127.0.0.1 alone. Of the command line (`--insecure-loopback`), for
  /// tests; no file can say so.
  bool cluster_insecure_loopback = false;
  std::uint16_t shards = 32;
  milliseconds lease{3'000};
  std::vector<database_settings> databases; ///< in the order of their shards
  std::vector<gateway_settings> gateways;
  std::vector<acquirer_settings> acquirers;
  std::vector<route_settings> routes;
  settlement_settings settlement;
  payment_settings payments;
};

/// Which shards lie in which database, in the order of `databases`.
[[nodiscard]] shard_layout layout_of(const node_config& config);

/// Whether the cluster port may go without TLS, on 127.0.0.1 alone.
enum class loopback : std::uint8_t { secured, insecure };

/// Reads and checks a TOML file. Errors: invalid_argument, whose detail is "file:line: what is
/// wrong and what was expected", one line an error.
[[nodiscard]] expected<node_config> load(const std::string& path,
                                         loopback links = loopback::secured);

/// The file that `load` reads back as this configuration. A value such as "${NAME}" stays as it
/// is: that is how the file of a private node keeps its secrets outside.
[[nodiscard]] std::string to_toml(const node_config& config);

} // namespace holdfast::config
