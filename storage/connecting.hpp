// How a connection comes about when a URL names several hosts: a race that the first server
// wins that answers, can be written to and has not been replaced by another.
#pragma once

#include "messages/expected.hpp"
#include "storage/wake_event.hpp"

#include <cstdint>
#include <memory>
#include <string>

struct pg_conn;

namespace holdfast::storage {

struct close_connection {
  void operator()(pg_conn* raw) const noexcept;
};

using connection_handle = std::unique_ptr<pg_conn, close_connection>;

struct server_connection {
  connection_handle raw;
  /// Of two servers that were one once, the one that was promoted later has the higher number.
  /// 0 for a standby.
  std::uint32_t timeline = 0;
};

/// Connects to one of the URL's hosts. A single attempt of libpq's goes from host to host by
/// itself, but has no time limit of a host's own when it is driven without blocking: a host
/// that swallows what is sent to it would use up the deadline of all. So each host gets an
/// attempt of its own, limits::connect_head_start after the one before or as soon as that has
/// failed, and libpq decides in each whether the server is the right one
/// (`target_session_attrs`, which is "read-write" unless the URL says otherwise). Names are
/// looked up by the system's resolver, which blocks and has its own limits. A server whose
/// timeline is below `timeline_min` counts as one that can't be reached. Whoever may have to
/// leave before the deadline signals `unwanted`, which ends the attempt.
///
/// Errors: unavailable, with libpq's message for each host (which names hosts but no password);
/// invalid_argument for a URL that can't be understood.
[[nodiscard]] expected<server_connection> connect_to_any(const std::string& url,
                                                         const std::string& application,
                                                         std::uint32_t timeline_min,
                                                         steady_time deadline,
                                                         const wake_event* unwanted = nullptr);

} // namespace holdfast::storage
