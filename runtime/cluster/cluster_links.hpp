// The links of a node: CAF's middleman under mutual TLS, the door that other nodes' links come
// to, and this node's own link to each of the others.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/port.hpp"
#include "runtime/config/config.hpp"
#include "storage/sequence_marks.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast::cluster {

class node_credentials;

/// How the links of a node are secured; kept until the actor system is gone.
struct link_security {
  /// None: links in plain text, on 127.0.0.1 alone.
  std::shared_ptr<const node_credentials> credentials;
};

/// Checks the certificate, key and authority of [cluster] tls, and tells CAF of them. To be
/// called before the actor system is made of `caf_settings`; not at all without [cluster]
/// listen. Errors: invalid_argument, which names the file and what to do about it: it can't be
/// read, the key doesn't fit, the authority has not signed it, it has expired, it doesn't name
/// the node; or there is no TLS.
[[nodiscard]] expected<link_security> prepare_links(const config::node_config& settings,
                                                    caf::actor_system_config& caf_settings);

struct link_options {
  uuid cluster_id;         ///< as its databases say
  std::string incarnation; ///< of this process, as in its storage::node_card
  timestamp started_at;
  std::int32_t schema = 0; ///< version, for people
  /// Noted from what peers say, and told to them.
  std::shared_ptr<storage::sequence_marks> marks;
  /// Does what peers ask.
  links::peer_service service;
  actors::log_function log;
  std::function<std::uint64_t()> random;
};

/// Open as long as it lives. Thread-safe.
class cluster_links {
public:
  /// Listens on [cluster] listen and begins to connect to the seeds. Errors: unavailable (the
  /// address can't be listened on), invalid_argument.
  [[nodiscard]] static expected<std::unique_ptr<cluster_links>> open(
    caf::actor_system& system, const config::node_config& settings, link_security security,
    link_options options);
  /// As `stop`.
  ~cluster_links();
  cluster_links(const cluster_links&) = delete;
  cluster_links& operator=(const cluster_links&) = delete;

  /// "host:port" that others can reach us at; the port is the real one where [cluster] says 0.
  [[nodiscard]] const std::string& advertise() const noexcept { return advertise_; }
  [[nodiscard]] std::uint16_t listen_port() const noexcept { return listen_port_; }
  [[nodiscard]] links::port& port() noexcept;
  /// Says goodbye to the peers: what is under way ends as unknown_outcome, what is asked later
  /// as unavailable. Bounded by limits::links_stop_ms_max.
  void stop();

private:
  class parts;
  cluster_links(std::unique_ptr<parts> inner, std::string advertise, std::uint16_t listen_port);

  std::unique_ptr<parts> parts_;
  std::string advertise_;
  std::uint16_t listen_port_;
};

} // namespace holdfast::cluster
