// The connections beneath the links, which CAF keeps: ended here when a link says so.
//
// CAF has one connection a pair of processes, whichever of them opens it; a second one is
// closed as redundant, and proxies of remote actors live as long as the one. Two that connect
// to each other at the same moment may find both connections redundant and close both, so a
// link lets the other end begin (actors/link/actor.cpp). Or they keep both, and each writes to
// the one that it has opened: then neither hears anything on the connection that it writes to,
// and CAF's heartbeats (caf.middleman.heartbeat-interval) would have them closed again and
// again. So those are off: whether a node is there is for links to find out, and what no link
// knows of is tidied up here.
//
// Nor has CAF a bound on the length of a message: it sets aside whatever a header says, up to
// 4 GiB, for whoever got through TLS. So each header is looked at before CAF acts on it.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/node_id.hpp>

#include <functional>
#include <memory>
#include <string>

namespace holdfast::cluster {

/// Thread-safe: what changes anything is done on the thread of CAF's multiplexer. Not to be
/// used any more when the actor system ends.
class connections {
public:
  using listener = std::function<void(const std::string& host, const std::string& why)>;

  /// To be made before CAF opens a port. Whoever announces a message that is longer than
  /// limits::link_message_bytes_max is cut off; `told` hears of it on CAF's thread.
  connections(caf::actor_system& system, listener told);

  [[nodiscard]] bool has(const caf::node_id& node) const;
  /// Closes the connection to the process, which CAF might go on to write into. Proxies of its
  /// actors die with it.
  void drop(const caf::node_id& node);
  /// Closes what was opened and has said nothing for limits::link_mute_ms_max, what did not
  /// become a connection of CAF's within limits::link_dial_ms_max, and what leads to no process
  /// and was silent for limits::link_silence_ms_max.
  void tidy();

private:
  struct ages;

  caf::actor_system& system_;
  caf::actor broker_;
  std::shared_ptr<ages> ages_;
};

} // namespace holdfast::cluster
