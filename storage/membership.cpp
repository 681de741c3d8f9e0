#include "storage/membership.hpp"

namespace holdfast::storage {

namespace {

constexpr sql clock{"nodes_clock", "select clock_timestamp()"};

/// A process that reaches this database later than its successor is still the older one. Who
/// started when is only compared with a process that lives, by a clock that is this one: the
/// row of a dead one, or one that claims to live longer than any can, stands in nobody's way.
/// The database's clock may have been set back since, or be another server's.
constexpr sql introduce{"nodes_introduce", R"sql(
insert into cluster_node as n (id, incarnation, advertise, http, admin, version, serves_shards,
                               draining, started_at, alive_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
        clock_timestamp() + $10::int8 * interval '1 millisecond')
on conflict (id) do update
   set incarnation = excluded.incarnation, advertise = excluded.advertise,
       http = excluded.http, admin = excluded.admin, version = excluded.version,
       serves_shards = excluded.serves_shards, draining = excluded.draining,
       started_at = excluded.started_at, alive_until = excluded.alive_until
 where n.incarnation = excluded.incarnation or n.started_at <= excluded.started_at
    or n.alive_until <= clock_timestamp()
    or n.alive_until > clock_timestamp() + 2 * $10::int8 * interval '1 millisecond')sql"};

constexpr sql incarnation_of{"nodes_incarnation",
                             "select incarnation from cluster_node where id = $1"};

constexpr sql bury{"nodes_bury", R"sql(
with freed as (
  update singleton_lease set owner = '', incarnation = '', lease_until = clock_timestamp()
   where owner = $1 and incarnation = $2)
update cluster_node set alive_until = clock_timestamp() where id = $1 and incarnation = $2)sql"};

/// Those of others are not even locked. A row that is new is no older than the statement, so
/// neither of the two parts sees what the other does.
constexpr sql hold{"singletons_hold", R"sql(
with held as (
  update singleton_lease
     set owner = $2, incarnation = $3,
         lease_until = clock_timestamp() + $4::int8 * interval '1 millisecond'
   where name = any($1::text[])
     and (owner = '' or lease_until <= clock_timestamp() or (owner = $2 and incarnation = $3))
  returning name),
first as (
  insert into singleton_lease (name, owner, incarnation, lease_until)
  select n, $2, $3, clock_timestamp() + $4::int8 * interval '1 millisecond'
    from unnest($1::text[]) as n
   where not exists (select from singleton_lease where name = n)
  on conflict (name) do nothing
  returning name)
select name from held union all select name from first order by name)sql"};

constexpr sql list{"nodes_list", R"sql(
select id, incarnation, advertise, http, admin, version, serves_shards, draining, started_at,
       alive_until, statement_timestamp()
  from cluster_node order by id)sql"};

} // namespace

expected<timestamp> database_time_of(const lease_context& in, steady_time moment) {
  const auto found = in.db.query(clock, {}, in.deadline);
  if (!found)
    return found.error();
  const auto ago = std::chrono::steady_clock::now() - moment;
  return row{*found, 0}.time() - std::chrono::ceil<std::chrono::microseconds>(ago);
}

expected<std::optional<std::string>> introduce_node(const lease_context& in,
                                                    const node_card& card,
                                                    timestamp started_at) {
  const auto said =
    in.db.query(introduce,
                parameters::of(card.id, card.incarnation, card.advertise, card.http, card.admin,
                               card.version, card.serves_shards, card.draining, started_at,
                               in.lease.count()),
                in.deadline);
  if (!said)
    return said.error();
  if (said->affected() == 1)
    return std::optional<std::string>{};
  const auto other = in.db.query(incarnation_of, parameters::of(card.id), in.deadline);
  if (!other)
    return other.error();
  // Without a row it has been swept just now, which only happens to the dead.
  return other->rows() == 1 ? std::optional{row{*other, 0}.text()} : std::nullopt;
}

expected<void> bury_node(const lease_context& in, const std::string& incarnation) {
  const auto buried = in.db.query(bury, parameters::of(in.owner, incarnation), in.deadline);
  if (!buried)
    return buried.error();
  return {};
}

expected<std::vector<std::string>> hold_singletons(const lease_context& in,
                                                   const std::string& incarnation,
                                                   const std::vector<std::string>& names) {
  array_of<std::string_view> wanted;
  for (const auto& name : names)
    wanted.add(name);
  const auto held = in.db.query(
    hold, parameters::of(std::move(wanted), in.owner, incarnation, in.lease.count()),
    in.deadline);
  if (!held)
    return held.error();
  std::vector<std::string> ours;
  for (int i = 0; i < held->rows(); ++i)
    ours.push_back(row{*held, i}.text());
  return ours;
}

expected<std::vector<node_row>> read_nodes(const lease_context& in) {
  const auto found = in.db.query(list, {}, in.deadline);
  if (!found)
    return found.error();
  std::vector<node_row> nodes;
  for (int i = 0; i < found->rows(); ++i) {
    row from{*found, i};
    node_row node;
    node.card.id = from.text();
    node.card.incarnation = from.text();
    node.card.advertise = from.text();
    node.card.http = from.text();
    node.card.admin = from.text();
    node.card.version = from.text();
    node.card.serves_shards = from.boolean();
    node.card.draining = from.boolean();
    node.started_at = from.time();
    const auto alive_until = from.time();
    node.alive_for = std::chrono::ceil<milliseconds>(alive_until - from.time());
    nodes.push_back(std::move(node));
  }
  return nodes;
}

} // namespace holdfast::storage
