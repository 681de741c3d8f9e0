#include "runtime/cluster/cluster_metrics.hpp"

#include "runtime/telemetry/metrics.hpp"

namespace holdfast::cluster {

namespace {

using telemetry::append_head;
using telemetry::append_sample;

void append_one(std::string& out, std::string_view name, std::string_view help,
                std::string_view kind, std::uint64_t value) {
  append_head(out, name, help, kind);
  append_sample(out, name, {}, static_cast<double>(value));
}

void append_routing(std::string& out, const router_figures& routed) {
  constexpr std::string_view forwarded = "holdfast_forwarded_requests_total";
  append_head(out, forwarded, "Requests sent to the node that owns their shard, by outcome.",
              "counter");
  for (std::size_t how = 0; how < forward_ends; ++how)
    append_sample(out, forwarded, {{"outcome", to_string(static_cast<forward_end>(how))}},
                  static_cast<double>(routed.forwarded[how]));
  append_one(out, "holdfast_requests_parked",
             "Requests that wait for the owner of their shard.", "gauge", routed.parked);
  append_one(out, "holdfast_requests_without_owner_total",
             "Requests given up because nobody had their shard for too long.", "counter",
             routed.given_up);
}

void append_ownership(std::string& out, const ownership_figures& owned) {
  append_one(out, "holdfast_shards_owned", "Shards whose lease this node holds.", "gauge",
             owned.held);
  append_one(out, "holdfast_shards_wanted", "Shards that this node should own.", "gauge",
             owned.wanted);
  append_one(out, "holdfast_shards_behind",
             "Shards not served because their database lacks acknowledged events.", "gauge",
             owned.behind);
  append_one(out, "holdfast_shards_without_owner",
             "Shards of the cluster that nobody owns, as far as this node knows.", "gauge",
             owned.without_owner);
  append_one(out, "holdfast_leases_lost_total",
             "Leases that ran out, were taken, or whose writer gave up.", "counter",
             owned.leases_lost);
  append_one(out, "holdfast_shards_handed_over_total", "Shards given up in good order.",
             "counter", owned.handed_over);
}

/// A peer that nobody has named yet is shown by its address.
void append_links(std::string& out, const std::vector<links::link_status>& links) {
  const auto family = [&](std::string_view name, std::string_view help, std::string_view kind,
                          auto read) {
    append_head(out, name, help, kind);
    for (const auto& link : links)
      append_sample(out, name, {{"peer", link.node.empty() ? link.address : link.node}},
                    static_cast<double>(read(link)));
  };
  family("holdfast_link_up", "1 while the link to the peer is up.", "gauge",
         [](const links::link_status& link) { return link.up ? 1 : 0; });
  family("holdfast_link_outstanding", "Requests that the peer has not answered yet.", "gauge",
         [](const links::link_status& link) { return link.outstanding; });
  family("holdfast_link_round_trip_seconds", "Of the last heartbeat.", "gauge",
         [](const links::link_status& link) {
           return static_cast<double>(link.round_trip_us) / 1e6;
         });
  family("holdfast_link_frames_sent_total", "Frames sent to the peer.", "counter",
         [](const links::link_status& link) { return link.sent; });
  family("holdfast_link_frames_received_total", "Frames received from the peer.", "counter",
         [](const links::link_status& link) { return link.received; });
}

} // namespace

void append_cluster_metrics(std::string& out, const router_figures& routed,
                            const ownership_figures& owned,
                            const std::vector<links::link_status>& links) {
  append_routing(out, routed);
  append_ownership(out, owned);
  append_links(out, links);
}

} // namespace holdfast::cluster
