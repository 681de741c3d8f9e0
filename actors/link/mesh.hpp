// All links of a node: one to each of the others, found by the addresses that are known.
#pragma once

#include "actors/link/environment.hpp"

#include <caf/actor_system.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace holdfast::links {

/// Starts a link for every address that it hears of; the links themselves find out which of
/// them lead to the same node, or to this one. In plain text it links to 127.0.0.1 alone.
class mesh final : public port {
public:
  /// Nothing is connected before `start`. The actor system outlives it.
  mesh(caf::actor_system& system, std::vector<std::string> seeds);

  void start(environment_ptr env);

  void ask(const std::string& node, peer_request what, milliseconds deadline,
           peer_callback done) override;
  [[nodiscard]] bool reaches(const std::string& node) const override;
  void know(std::vector<std::string> addresses) override;
  [[nodiscard]] std::vector<link_status> status() const override;

  /// A peer says that it listens there.
  void meet(const std::string& address);
  [[nodiscard]] const std::shared_ptr<links::roll>& names() const noexcept { return roll_; }

private:
  void link_to(const std::string& address);

  caf::actor_system& system_;
  std::shared_ptr<links::roll> roll_ = std::make_shared<links::roll>();
  std::vector<std::string> seeds_;
  std::mutex starting_;
  environment_ptr env_;      ///< null until it is started
  bool has_refused_ = false; ///< and said so
};

} // namespace holdfast::links
