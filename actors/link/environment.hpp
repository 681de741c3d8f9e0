// What a node's links and its door are given. Shared and read-only; all functions are
// thread-safe.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/ask_promise.hpp"
#include "actors/link/credentials.hpp"
#include "actors/link/port.hpp"
#include "actors/link/roll.hpp"
#include "messages/envelope.hpp"
#include "storage/sequence_marks.hpp"

#include <caf/actor.hpp>
#include <caf/node_id.hpp>

#include <functional>
#include <memory>
#include <string>

namespace holdfast::links {

struct environment {
  /// What this node says of itself, but for the nonce.
  std::function<introduction()> self;
  /// None: links in plain text.
  std::shared_ptr<const credentials> keys;
  std::shared_ptr<storage::sequence_marks> marks;
  peer_service service;
  actors::log_function log;
  std::function<steady_time()> now;
  std::function<std::uint64_t()> random;
  std::shared_ptr<links::roll> roll;

  /// CAF's, to which one says where to connect to.
  caf::actor middleman;
  /// Whether a connection to the address can work, and to which process. Answers once, on any
  /// thread, within about limits::link_probe_ms_max. Errors: unavailable; the detail says why
  /// not.
  std::function<void(const std::string& host, std::uint16_t port,
                     std::function<void(expected<caf::node_id>)> done)>
    probe;
  /// Whether CAF has a connection to the process, whoever has opened it.
  std::function<bool(const caf::node_id&)> is_connected;
  /// Ends CAF's connection to the process, if there is one: CAF would not notice that it leads
  /// nowhere any more.
  std::function<void(const caf::node_id&)> drop;
  /// Closes what nobody speaks on. Called every limits::link_tidy_ms.
  std::function<void()> tidy;
  /// A peer has said where it listens.
  std::function<void(const std::string& address)> met;
};

using environment_ptr = std::shared_ptr<const environment>;

/// What this node says of itself in one handshake: with a new nonce.
[[nodiscard]] introduction introduce(const environment& env);

} // namespace holdfast::links
