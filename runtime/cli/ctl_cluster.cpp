// `holdfast ctl nodes` and `holdfast ctl shards`.
#include "runtime/cli/ctl_output.hpp"
#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace holdfast::cli::ctl {

namespace json = boost::json;
using client::flag_at;
using client::integer_at;
using client::string_at;
using console::cell;
using console::view;

namespace {

/// Other nodes are asked for what they know; one that doesn't answer must not hold up the rest.
constexpr milliseconds other_node_limit{2'000};

constexpr view node_columns[] = {
  {"NODE", "id"},
  {"STATUS", "status"},
  {"SHARDS", "shards", cell::number},
  {"HTTP", "http"},
  {"ADMIN", "admin"},
  {"CLUSTER", "cluster"},
  {"VERSION", "version"},
  {"STARTED", "started_at", cell::time},
  {"LINK", "link_text"},
};
constexpr view shard_columns[] = {
  {"SHARD", "shard", cell::number},
  {"OWNER", "owner"},
  {"EPOCH", "epoch", cell::number},
  {"LEASE MS", "lease_left_ms", cell::number},
  {"SERVING", "serving", cell::flag},
  {"IN FLIGHT", "in_flight", cell::number},
  {"LIVE PAYMENTS", "live_payments", cell::number},
  {"LAG MS", "lag_ms", cell::number},
  {"LAST SEQ", "last_seq", cell::number},
  {"PINNED TO", "pinned_to"},
};
/// What only the owner of a shard can tell.
constexpr std::string_view owners_members[] = {"serving", "in_flight", "live_payments",
                                               "lag_ms"};

/// "up, 310 us", or why it is not.
std::string link_text(const json::object& node) {
  if (flag_at(node, "self"))
    return "(asked)";
  if (!client::member_at(node, "link.up"))
    return {};
  if (flag_at(node, "link.up"))
    return "up, " + std::to_string(integer_at(node, "link.round_trip_us")) + " us";
  const auto trouble = string_at(node, "link.trouble");
  return trouble.empty() ? "down" : "down: " + trouble;
}

/// The shards that the node at this URL owns, as it tells; none when it doesn't answer.
std::map<std::int64_t, json::object> own_shards(const std::string& admin_url) {
  std::map<std::int64_t, json::object> own;
  const auto answer = client::json_client{admin_url}.get("/admin/v1/shards", other_node_limit);
  const auto* rows =
    answer && answer->is_object() ? answer->as_object().if_contains("data") : nullptr;
  if (!rows || !rows->is_array())
    return own;
  for (const auto& row : rows->as_array())
    if (const auto* shard = row.if_object(); shard && client::member_at(*shard, "serving")
                                             && client::member_at(*shard, "serving")->is_bool())
      own.emplace(integer_at(*shard, "shard"), *shard);
  return own;
}

/// Puts in what the owners other than the asked node say.
void complete(json::array& shards, const json::array& nodes) {
  for (const auto& each : nodes) {
    const auto* node = each.if_object();
    if (!node || flag_at(*node, "self") || string_at(*node, "status") == "dead"
        || string_at(*node, "admin").empty() || integer_at(*node, "shards") == 0)
      continue;
    const auto known = own_shards(string_at(*node, "admin"));
    for (auto& row : shards) {
      auto* shard = row.if_object();
      const auto told = shard ? known.find(integer_at(*shard, "shard")) : known.end();
      if (told == known.end() || string_at(*shard, "owner") != string_at(*node, "id"))
        continue;
      for (const auto name : owners_members)
        if (const auto* value = told->second.if_contains(name))
          (*shard)[name] = *value;
    }
  }
}

} // namespace

expected<void> list_nodes(const context& how) {
  if (how.as_json)
    return show_list(how, "/admin/v1/nodes", extent::whole, node_columns);
  auto rows = how.admin.rows("/admin/v1/nodes");
  if (!rows)
    return rows.error();
  for (auto& row : *rows)
    if (auto* node = row.if_object())
      (*node)["link_text"] = link_text(*node);
  print(console::rows_text(*rows, node_columns, how.out));
  return {};
}

expected<void> list_shards(const context& how, const std::string& node) {
  auto shards = how.admin.rows("/admin/v1/shards");
  if (!shards)
    return shards.error();
  if (const auto nodes = how.admin.rows("/admin/v1/nodes"))
    complete(*shards, *nodes);
  if (!node.empty())
    shards->erase(std::remove_if(shards->begin(), shards->end(),
                                 [&](const json::value& row) {
                                   return !row.is_object()
                                          || string_at(row.as_object(), "owner") != node;
                                 }),
                  shards->end());
  if (how.as_json)
    print_json(json::object{{"object", "list"}, {"data", std::move(*shards)}});
  else
    print(console::rows_text(*shards, shard_columns, how.out));
  return {};
}

expected<void> move_shards(const context& how, const shard_order& order) {
  json::object body{{"shards", order.range}, {"to", nullptr}};
  const bool anywhere = order.to == "anywhere";
  if (!anywhere)
    body["to"] = order.to;
  return show_object(how, how.admin.post("/admin/v1/shards/move", body),
                     [&](const json::object&) {
                       print(anywhere ? "shards " + order.range + " may be anywhere again\n"
                                      : "shards " + order.range + " are pinned to " + order.to
                                          + "; `holdfast ctl shards` shows them arrive\n");
                     });
}

} // namespace holdfast::cli::ctl
