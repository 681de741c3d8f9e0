// Nodes that have links and nothing else, several in one process: each with an actor system of
// its own, a cluster port under TLS, and a service that the test plays.
#pragma once

#include "actors/system_settings.hpp"
#include "runtime/cluster/cluster_links.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/certificates.hpp"
#include "tests/support/process.hpp"

#include <caf/actor_system.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace holdfast::test {

/// An authority, and the files that it gives to nodes.
class notary {
public:
  explicit notary(const std::string& name);

  /// For one node. For fewer than one day they have lapsed already.
  [[nodiscard]] config::tls_files files_for(const std::string& node, int days = 30) const;
  [[nodiscard]] const embedded::authority& authority() const { return authority_; }

private:
  embedded::authority authority_;
  temp_folder folder_;
  mutable int made_ = 0;
};

struct linked_options {
  std::string id = "node-1";
  std::string cluster = "test";
  uuid cluster_id = {};
  std::uint16_t shards = 8;
  std::vector<std::string> seeds = {};
  std::string listen = "127.0.0.1:0";
  std::string advertise = {};                ///< empty: where it listens
  std::optional<config::tls_files> tls = {}; ///< none: plain text
  links::peer_service service = {};          ///< none: answers what `echo_service` does
};

/// A command's answer has its request id as body; everything else is accepted.
[[nodiscard]] links::peer_service echo_service();
/// A command that `echo_service` answers; with `bytes` of description.
[[nodiscard]] links::peer_request echo_request(const std::string& id, std::size_t bytes = 0);

class linked_node {
public:
  explicit linked_node(linked_options options);
  ~linked_node();
  linked_node(const linked_node&) = delete;
  linked_node& operator=(const linked_node&) = delete;

  [[nodiscard]] links::port& port() { return links_->port(); }
  [[nodiscard]] caf::actor_system& system() { return *system_; }
  [[nodiscard]] storage::sequence_marks& marks() { return *marks_; }
  [[nodiscard]] const std::string& address() const { return links_->advertise(); }
  [[nodiscard]] std::uint16_t listen_port() const { return links_->listen_port(); }

  [[nodiscard]] bool reaches(const std::string& node) { return port().reaches(node); }
  [[nodiscard]] std::future<links::peer_outcome> start(const std::string& node,
                                                       links::peer_request what,
                                                       milliseconds deadline);
  [[nodiscard]] links::peer_outcome ask(const std::string& node, links::peer_request what,
                                        milliseconds deadline = milliseconds{5'000});
  /// How often a line of its log has this in it.
  [[nodiscard]] std::size_t said(const std::string& words) const;
  [[nodiscard]] std::string log() const;
  /// Its log. Boost.Test makes a message before the check, but writes it afterwards.
  friend std::ostream& operator<<(std::ostream& out, const linked_node& node) {
    return out << node.log();
  }

  /// In good order: it says goodbye.
  void stop();

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  actors::system_settings caf_settings_;
  std::shared_ptr<storage::sequence_marks> marks_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<cluster::cluster_links> links_;
};

/// How long a link may take to be there, to be noticed gone, and to be there again.
inline constexpr milliseconds links_up_in{5'000};
inline constexpr milliseconds cut_noticed_in{3'000};
inline constexpr milliseconds mended_in{3'000};

} // namespace holdfast::test
