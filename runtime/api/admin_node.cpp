// What the node does at the moment: shards and leases.
#include "messages/json_writer.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/reading.hpp"

#include <map>

namespace holdfast::api {

namespace {

struct node_summary {
  std::string id;
  std::uint32_t shards = 0;
  timestamp lease_until; ///< the earliest of its leases
};

/// The nodes that own something, as the leases tell.
std::vector<node_summary> summarize(const std::vector<runtime::shard_status>& shards) {
  std::map<std::string, node_summary> nodes;
  for (const auto& shard : shards) {
    if (shard.lease.owner.empty())
      continue;
    auto& node = nodes[shard.lease.owner];
    node.id = shard.lease.owner;
    node.lease_until = node.shards == 0 ? shard.lease.lease_until
                                        : std::min(node.lease_until, shard.lease.lease_until);
    ++node.shards;
  }
  std::vector<node_summary> rows;
  for (auto& [id, node] : nodes)
    rows.push_back(std::move(node));
  return rows;
}

std::string render_node(const node_summary& node) {
  json_writer json;
  json.begin_object()
    .member("id", node.id)
    .member("object", "node")
    .member("shards", node.shards)
    .member("lease_until", to_rfc3339(node.lease_until))
    .end_object();
  return json.take();
}

std::string render_shard(const runtime::shard_status& shard) {
  json_writer json;
  json.begin_object()
    .member("shard", shard.lease.shard.value)
    .member("object", "shard")
    .member_or_null("owner", shard.lease.owner)
    .member("epoch", shard.lease.epoch.value)
    .member("lease_until", to_rfc3339(shard.lease.lease_until))
    .member("serving", shard.serving)
    .member("in_flight", shard.in_flight)
    .member("live_payments", shard.live_payments)
    .end_object();
  return json.take();
}

} // namespace

void list_nodes_route(const admin_services_ptr& services, const exchange_ptr& call) {
  call->send_json(200, render_all(*call, summarize(services->front.shards()), render_node));
}

void list_shards_route(const admin_services_ptr& services, const exchange_ptr& call) {
  call->send_json(200, render_all(*call, services->front.shards(), render_shard));
}

} // namespace holdfast::api
