// The cluster as this node sees it: who is alive, who owns which shard, and moving shards.
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/strict_json.hpp"
#include "runtime/config/values.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <map>

namespace holdfast::api {

namespace {

constexpr std::size_t range_bytes_max = 16;

// -- nodes
// -----------------------------------------------------------------------------------------

std::string_view status_of(const storage::node_row& node) {
  if (node.alive_for <= milliseconds{0})
    return "dead";
  return node.card.draining ? "draining" : "alive";
}

void write_link(json_writer& json, const std::optional<links::link_status>& link) {
  json.key("link");
  if (!link) {
    json.null();
    return;
  }
  json.begin_object()
    .member("up", link->up)
    .member("since", to_rfc3339(link->since))
    .member_or_null("trouble", link->trouble)
    .member("round_trip_us", link->round_trip_us)
    .member("outstanding", link->outstanding)
    .member("sent", link->sent)
    .member("received", link->received)
    .end_object();
}

/// The earliest end of each owner's leases.
using lease_ends = std::map<std::string, timestamp>;

lease_ends ends_of(const std::vector<runtime::shard_status>& shards) {
  lease_ends ends;
  for (const auto& shard : shards) {
    const auto& lease = shard.lease;
    const auto [known, is_new] = ends.try_emplace(lease.owner, lease.lease_until);
    if (!is_new)
      known->second = std::min(known->second, lease.lease_until);
  }
  return ends;
}

std::string render_node(const runtime::node_status& node, const lease_ends& ends) {
  const auto& card = node.row.card;
  const auto lease = ends.find(card.id);
  json_writer json;
  json.begin_object()
    .member("id", card.id)
    .member("object", "node")
    .member("status", status_of(node.row))
    .member("self", node.is_self)
    .member("version", card.version)
    .member_or_null("http", card.http)
    .member_or_null("admin", card.admin)
    .member_or_null("cluster", card.advertise)
    .member("started_at", to_rfc3339(node.row.started_at))
    .member("serves_shards", card.serves_shards)
    .member("shards", node.shards)
    .member_or_null("lease_until",
                    lease == ends.end() ? std::string{} : to_rfc3339(lease->second));
  write_link(json, node.link);
  return json.end_object().take();
}

// -- shards
// ----------------------------------------------------------------------------------------

std::string render_shard(const runtime::shard_status& shard) {
  const auto& lease = shard.lease;
  const bool is_owned = !lease.owner.empty();
  json_writer json;
  json.begin_object()
    .member("shard", lease.shard.value)
    .member("object", "shard")
    .member_or_null("owner", lease.owner)
    .member("epoch", lease.epoch.value)
    .member_or_null("lease_until", is_owned ? to_rfc3339(lease.lease_until) : std::string{})
    .key("lease_left_ms");
  if (is_owned)
    json.value(lease.left.count());
  else
    json.null();
  json.member_or_null("pinned_to", lease.pinned_to).member("last_seq", lease.last_seq.value);
  // Of the others' shards their owners know.
  if (!shard.is_here) {
    for (const auto* name : {"serving", "in_flight", "live_payments", "lag_ms"})
      json.key(name).null();
    return json.end_object().take();
  }
  return json.member("serving", shard.serving)
    .member("in_flight", shard.in_flight)
    .member("live_payments", shard.live_payments)
    .member("lag_ms", shard.overdue.count())
    .end_object()
    .take();
}

/// "7", 7 or "0-3".
std::optional<shard_range> range_of(const boost::json::value& given, std::uint16_t count) {
  std::string text;
  if (given.is_string())
    text = given.get_string();
  else if (given.is_int64())
    text = std::to_string(given.get_int64());
  const auto range =
    text.size() <= range_bytes_max ? config::parse_shard_range(text) : std::nullopt;
  return range && range->last.value < count ? range : std::nullopt;
}

checked<runtime::shard_move> read_move(std::string_view body, std::uint16_t shards) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"shards", "to"});
  for (const auto* name : {"shards", "to"})
    if (!fields.has(name))
      fields.refuse(name, "missing_field", "This member is required.");
  if (refused)
    return *refused;
  runtime::shard_move move;
  if (const auto range = range_of(document->at("shards"), shards)) {
    move.first = range->first;
    move.last = range->last;
  } else {
    fields.refuse("shards", "invalid_field",
                  "Expected a shard or a range of them from 0 to " + std::to_string(shards - 1)
                    + ", such as \"3\" or \"0-7\".");
  }
  if (!document->at("to").is_null()) {
    move.to = fields.required_text("to", limits::cluster_name_bytes_max);
    if (!config::check_name(move.to).empty())
      fields.refuse("to", "invalid_field",
                    "Expected a node's id, or null to let the shards fall where they may.");
  }
  if (refused)
    return *refused;
  return move;
}

void refuse_move(const exchange& call, const error& failure) {
  if (failure.code != errc::not_found)
    return call.refuse(failure);
  call.refuse(
    refusal{.status = 404, .code = "not_found", .detail = failure.detail, .param = "to"});
}

} // namespace

void list_nodes_route(const admin_services_ptr& services, const exchange_ptr& call) {
  const auto ends = ends_of(services->front.shards());
  call->send_json(
    200, render_all(*call, services->front.nodes(), [&ends](const runtime::node_status& node) {
      return render_node(node, ends);
    }));
}

void list_shards_route(const admin_services_ptr& services, const exchange_ptr& call) {
  call->send_json(200, render_all(*call, services->front.shards(), render_shard));
}

void move_shards_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  const auto move = read_move(call->request().body, services->options.layout.count());
  if (!move)
    return call->refuse(move.error());
  services->front.move_shards(*move, [call, move = *move](const expected<void>& done) {
    if (!done)
      return refuse_move(*call, done.error());
    json_writer json;
    json.begin_object()
      .member("object", "shard_move")
      .member("first", move.first.value)
      .member("last", move.last.value)
      .member_or_null("to", move.to)
      .end_object();
    // They move by themselves, as soon as their owners have finished what they write.
    call->send_json(202, json.take());
  });
}

} // namespace holdfast::api
