// Which address leads to which node: so that each node has one link, however many addresses it
// is known by.
#pragma once

#include "actors/link/port.hpp"
#include "messages/envelope.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::links {

/// How a link stands, but for what is outstanding: written by the link, read by whoever asks.
/// Thread-safe.
class link_board {
public:
  template <class Change>
  void update(Change&& change) {
    const std::lock_guard lock{mutex_};
    change(status_);
  }
  [[nodiscard]] link_status read() const {
    const std::lock_guard lock{mutex_};
    return status_;
  }

  /// Requests that were given to the link and not answered yet; what waits in its mailbox too.
  std::atomic<std::size_t> asked{0};

private:
  mutable std::mutex mutex_;
  link_status status_;
};

using link_board_ptr = std::shared_ptr<link_board>;

/// Whether a link may go on with whom it has found.
enum class claim_verdict : std::uint8_t {
  granted,
  taken,    ///< Another address leads to the same process, and is in use.
  outdated, ///< A younger incarnation of the node is linked.
};

/// Thread-safe.
class roll {
public:
  struct seat {
    caf::actor link;
    link_board_ptr board;
  };

  // -- of whoever starts links
  // -----------------------------------------------------------------------------

  /// False: there is a link for the address, or there are limits::links_max.
  [[nodiscard]] bool add(const std::string& address, seat who);
  [[nodiscard]] bool has(const std::string& address) const;
  /// Has the address tried now, if it leads to nobody yet.
  void wake(const std::string& address) const;
  /// The addresses that are kept although nobody listens there.
  void keep(std::vector<std::string> addresses);
  /// The one link to the node that is up. None: there isn't one.
  [[nodiscard]] std::optional<seat> find(const std::string& node) const;
  /// All but those that lead to where another leads too.
  [[nodiscard]] std::vector<seat> all() const;
  /// No more links from now on; those that there were.
  [[nodiscard]] std::vector<caf::actor> close();

  // -- of the link itself
  // ----------------------------------------------------------------------------------

  /// Who was found at the address. If it is a younger incarnation than another link's, that one
  /// is told to yield.
  [[nodiscard]] claim_verdict claim(const std::string& address, const introduction& who);
  void came_up(const std::string& address);
  /// It leads to nobody any more. Other addresses of the same node are tried at once.
  void came_down(const std::string& address);
  /// It leads to ourselves, or to where another link leads.
  void set_aside(const std::string& address);
  [[nodiscard]] bool is_kept(const std::string& address) const;
  void remove(const std::string& address);

private:
  struct entry {
    seat who;
    std::optional<introduction> leads_to;
    bool is_up = false;
    bool is_aside = false;
  };

  mutable std::mutex mutex_;
  std::map<std::string, entry> entries_;
  std::vector<std::string> kept_;
  bool is_closed_ = false;
};

} // namespace holdfast::links
