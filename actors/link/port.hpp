// How nodes ask each other: the narrow door between what routes requests and the links that
// carry them. No CAF and no Protobuf here.
#pragma once

#include "messages/peer.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::links {

/// Errors: unavailable (there is no link, or the peer stopped before it looked at it: nothing
/// was done), overloaded (the peer's window is used up: nothing was sent), unknown_outcome
/// (sent, and no answer in time or the link broke), invalid_argument (the peer doesn't know
/// such a request: it is of an older version, and did nothing).
using peer_outcome = expected<peer_answer>;

// An answer may carry an error of its own, so that neither converts by itself.
[[nodiscard]] inline peer_outcome answered(peer_answer answer) {
  return {boost::system::in_place_value, std::move(answer)};
}
[[nodiscard]] inline peer_outcome not_answered(error why) {
  return {boost::system::in_place_error, std::move(why)};
}

using peer_callback = std::function<void(peer_outcome)>;

// -- the door ---------------------------------------------------------------------------------

struct link_status {
  std::string node;    ///< empty while nobody has said who listens there
  std::string address; ///< "host:port"
  bool up = false;
  std::string trouble; ///< why it is not, for a person
  timestamp since;     ///< up or down
  std::size_t outstanding = 0;
  std::int64_t round_trip_us = 0; ///< of the last heartbeat
  std::uint64_t sent = 0;         ///< frames
  std::uint64_t received = 0;
};

/// The other nodes, as this one reaches them. Thread-safe.
class port {
public:
  virtual ~port() = default;

  /// Sends once, and calls `done` once, on any thread: within `deadline`, or a little later.
  virtual void ask(const std::string& node, peer_request what, milliseconds deadline,
                   peer_callback done) = 0;
  /// Whether a link to the node is up, by its heartbeats.
  [[nodiscard]] virtual bool reaches(const std::string& node) const = 0;
  /// Addresses to keep a link to, besides the seeds: where the nodes say that they listen.
  virtual void know(std::vector<std::string> addresses) = 0;
  [[nodiscard]] virtual std::vector<link_status> status() const = 0;
};

/// Does what a peer asks, on this node alone. Called on any thread, must be short; `done` runs
/// once, later, on any thread.
using peer_service =
  std::function<void(const std::string& from, peer_request what, milliseconds deadline,
                     std::function<void(peer_answer)> done)>;

} // namespace holdfast::links
