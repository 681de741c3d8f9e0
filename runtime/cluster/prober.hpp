// Finds out whether a connection to another node can work, and if not, why: CAF only says that
// it failed.
#pragma once

#include "messages/expected.hpp"
#include "runtime/cluster/credentials.hpp"

#include <caf/node_id.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast::cluster {

/// Has a thread of its own. Thread-safe.
class prober {
public:
  /// Without credentials it looks in plain text.
  explicit prober(std::shared_ptr<const node_credentials> keys);
  /// What is under way ends as unavailable.
  ~prober();
  prober(const prober&) = delete;
  prober& operator=(const prober&) = delete;

  using callback = std::function<void(expected<caf::node_id>)>;

  /// Connects as a link would, up to where the other end says which process it is, and hangs
  /// up. `done` is called once, on the prober's thread, within limits::link_probe_ms_max and a
  /// little. Errors: unavailable, with what is wrong in words for a person on either side.
  void look_at(const std::string& host, std::uint16_t port, callback done);

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

} // namespace holdfast::cluster
