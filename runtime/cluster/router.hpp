// Brings every request to the owner of its shard: to the actor here, over a link to the node
// that has it, or, while the shard moves, after a wait. What it decides is in forwarding.hpp.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/port.hpp"
#include "runtime/cluster/errand.hpp"
#include "runtime/cluster/routing_table.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::cluster {

/// How a request to another node has ended; for metrics.
enum class forward_end : std::uint8_t { answered, not_owner, unavailable, overloaded, unknown };
inline constexpr std::size_t forward_ends = 5;
[[nodiscard]] std::string_view to_string(forward_end how) noexcept;

/// Since the start.
struct router_figures {
  std::array<std::uint64_t, forward_ends> forwarded{};
  std::uint64_t given_up = 0;
  std::size_t parked = 0; ///< now
};

/// Thread-safe. Everything that it is given is answered exactly once, on any thread.
class router : public std::enable_shared_from_this<router> {
public:
  /// Kept by whoever uses it; callbacks that come when it is gone find nobody.
  [[nodiscard]] static std::shared_ptr<router> make(actors::environment_ptr env,
                                                    std::shared_ptr<routing_table> table,
                                                    std::string node);

  /// The way to the other nodes, before the first request; without one this node is alone.
  /// It must outlive the last request.
  void connect(links::port& others) noexcept { others_ = &others; }

  void submit(merchant_command command, std::function<void(api_reply)> done);
  void notify(webhook_notice notice, std::string request_id,
              std::function<void(api_reply)> done);
  void order(desk_order what, desk_callback done);
  void raise(shard_number shard, std::vector<new_exception> found);

  /// There is news of these shards: whoever waits for them is tried again.
  void wake(const std::vector<shard_number>& shards);
  /// Nothing waits any more: what does is answered, and what comes is tried once.
  void close();
  [[nodiscard]] router_figures figures() const;

private:
  router(actors::environment_ptr env, std::shared_ptr<routing_table> table, std::string node);

  void send(const errand_ptr& what);
  void ask(const errand_ptr& what, const std::string& node);
  void on_answer(const errand_ptr& what, const std::string& node, epoch_number epoch,
                 links::peer_outcome outcome);
  void try_again(const errand_ptr& what, const std::string& node, epoch_number epoch,
                 try_result how);
  void park(errand_ptr what);
  void give_up(errand& what);
  void look_again_later();
  void look_again();
  void came_back(const errand_ptr& what);
  void count(forward_end how) noexcept;
  [[nodiscard]] outlook look(shard_number shard) const;
  [[nodiscard]] bool reaches(const std::string& node) const;
  [[nodiscard]] shard_number shard_for(const merchant_command& command) const;
  [[nodiscard]] hand_back way_back();

  actors::environment_ptr env_;
  std::shared_ptr<routing_table> table_;
  const std::string self_;
  links::port* others_ = nullptr;
  std::shared_ptr<const actors::reroute> reroute_;

  mutable std::mutex mutex_;
  parking_lot<errand_ptr> lot_;
  bool looks_again_ = false; ///< a look is due
  bool closed_ = false;

  std::array<std::atomic<std::uint64_t>, forward_ends> forwarded_{};
  std::atomic<std::uint64_t> given_up_{0};
};

} // namespace holdfast::cluster
