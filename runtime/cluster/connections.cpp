#include "runtime/cluster/connections.hpp"

#include "messages/limits.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::cluster {

namespace {

using caf::io::basp_broker;
using caf::io::connection_handle;

basp_broker& broker_of(const caf::actor& handle) {
  return *static_cast<basp_broker*>(caf::actor_cast<caf::abstract_actor*>(handle));
}

/// Runs on the multiplexer's thread, where the broker lives, unless it has ended.
template <class Work>
void with_broker(caf::actor_system& system, const caf::actor& handle, Work work) {
  auto& backend = system.middleman().backend();
  backend.dispatch([&backend, handle, work = std::move(work)]() mutable {
    auto& broker = broker_of(handle);
    if (broker.getf(caf::abstract_actor::is_terminated_flag))
      return;
    broker.context(&backend);
    work(broker);
  });
}

void close(basp_broker& broker, connection_handle connection) {
  broker.connection_cleanup(connection, caf::sec::connection_timeout);
  broker.close(connection);
}

} // namespace

/// When each connection was seen first. Of the multiplexer's thread.
struct connections::ages {
  using clock = caf::actor_clock;

  bool is_due(basp_broker& broker, connection_handle connection, clock::time_point now) {
    using std::chrono::milliseconds;
    const auto since = seen.try_emplace(connection, now).first->second;
    const auto known = broker.ctx.find(connection);
    if (known == broker.ctx.end())
      return now - since > milliseconds{limits::link_mute_ms_max};
    if (known->second.callback)
      return now - since > milliseconds{limits::link_dial_ms_max};
    if (broker.instance.tbl().lookup_direct(connection))
      return false;
    return now - std::max(since, known->second.last_seen)
           > milliseconds{limits::link_silence_ms_max};
  }

  std::unordered_map<connection_handle, clock::time_point> seen;
};

connections::connections(caf::actor_system& system)
  : system_(system),
    broker_(system.middleman().named_broker<basp_broker>("BASP")),
    ages_(std::make_shared<ages>()) {}

bool connections::has(const caf::node_id& node) const {
  auto& broker = broker_of(broker_);
  // CAF's routing table has a lock of its own.
  return !broker.getf(caf::abstract_actor::is_terminated_flag)
         && broker.instance.tbl().lookup_direct(node);
}

void connections::drop(const caf::node_id& node) {
  with_broker(system_, broker_, [node](basp_broker& broker) {
    if (const auto connection = broker.instance.tbl().lookup_direct(node))
      close(broker, *connection);
  });
}

void connections::tidy() {
  with_broker(system_, broker_, [ages = ages_](basp_broker& broker) {
    const auto now = broker.clock().now();
    const auto listed = broker.connections();
    const std::unordered_set<connection_handle> open{listed.begin(), listed.end()};
    std::erase_if(ages->seen, [&](const auto& one) { return !open.contains(one.first); });
    for (const auto& connection : open)
      if (ages->is_due(broker, connection, now))
        close(broker, connection);
  });
}

} // namespace holdfast::cluster
