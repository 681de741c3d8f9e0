#include "runtime/cluster/connections.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"

#include <caf/behavior.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/system_messages.hpp>
#include <caf/message_handler.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::cluster {

namespace {

using caf::io::basp_broker;
using caf::io::connection_handle;
using caf::io::new_data_msg;

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

/// How long the message is that a header announces. What is no header CAF refuses itself.
std::uint32_t announced(basp_broker& broker, const new_data_msg& came) {
  const auto known = broker.ctx.find(came.handle);
  if (known != broker.ctx.end() && known->second.cstate == caf::io::basp::await_payload)
    return 0; // This is the message; its header was looked at.
  caf::io::basp::header header;
  caf::binary_deserializer source{broker.system(), came.buf};
  return source.apply(header) ? header.payload_len : 0;
}

/// Stands before CAF's own behavior, and hands everything else on to it as it came.
void limit_messages(basp_broker& broker, connections::listener told) {
  HF_ASSERT(
    broker.getf(caf::abstract_actor::is_initialized_flag)); // It would replace this one.
  auto inner = broker.make_behavior();
  const auto look = [&broker, told = std::move(told), inner](new_data_msg& came) mutable {
    const auto length = announced(broker, came);
    if (length > limits::link_message_bytes_max) {
      told(broker.remote_addr(came.handle), "it announces a message of "
                                              + std::to_string(length)
                                              + " bytes, and none is longer than "
                                              + std::to_string(limits::link_message_bytes_max));
      return close(broker, came.handle);
    }
    auto whole = caf::make_message(std::move(came));
    inner(whole);
    // CAF reads on into the same buffer.
    came = std::move(whole.get_mutable_as<new_data_msg>(0));
  };
  broker.become(caf::message_handler{look}.or_else(inner));
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

connections::connections(caf::actor_system& system, listener told)
  : system_(system),
    broker_(system.middleman().named_broker<basp_broker>("BASP")),
    ages_(std::make_shared<ages>()) {
  with_broker(system_, broker_, [told = std::move(told)](basp_broker& broker) mutable {
    limit_messages(broker, std::move(told));
  });
}

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
