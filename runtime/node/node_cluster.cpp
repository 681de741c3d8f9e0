#include "runtime/node/node_cluster.hpp"

#include "messages/limits.hpp"
#include "runtime/cluster/peer_service.hpp"
#include "runtime/version.hpp"
#include "storage/migrations/migrations.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace holdfast::runtime {

namespace {

std::string new_incarnation(std::uint64_t random) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(random));
  return text.data();
}

cluster::ownership_plan plan_ownership(const node_cluster_plan& plan,
                                       std::shared_ptr<cluster::routing_table> table) {
  cluster::ownership_plan owned;
  owned.env = plan.env;
  owned.table = std::move(table);
  owned.node = plan.settings->id;
  owned.is_alone = plan.settings->cluster_listen.empty();
  owned.superseded = plan.superseded;
  auto& times = plan.metrics->histogram_of("holdfast_shard_hand_over_duration_seconds",
                                           "From the order to let a shard go to its release.",
                                           telemetry::duration_bounds(), {});
  owned.observe_hand_over = [&times](milliseconds took) {
    times.observe(static_cast<double>(took.count()) / 1e3);
  };
  return owned;
}

} // namespace

node_cluster::node_cluster(node_cluster_plan plan)
  : plan_(std::move(plan)),
    incarnation_(new_incarnation(plan_.env->random())),
    started_at_(plan_.env->now()),
    table_(std::make_shared<cluster::routing_table>(plan_.env->layout.count())),
    router_(cluster::router::make(plan_.env, table_, plan_.settings->id)),
    cutoffs_(std::make_shared<runtime::cutoffs>(plan_.env, table_, plan_.settings->id)),
    ownership_(plan_ownership(plan_, table_)) {
  table_->on_change([to = std::weak_ptr{router_}](const std::vector<shard_number>& changed) {
    if (const auto waiting = to.lock())
      waiting->wake(changed);
  });
  plan_.env->began_to_serve = [to = std::weak_ptr{router_}](shard_number shard) {
    if (const auto waiting = to.lock())
      waiting->wake({shard});
  };
}

bool node_cluster::is_alone() const noexcept {
  return plan_.settings->cluster_listen.empty();
}

expected<void> node_cluster::prepare(caf::actor_system_config& caf_settings) {
  if (is_alone())
    return {};
  auto secured = cluster::prepare_links(*plan_.settings, caf_settings);
  if (!secured)
    return secured.error();
  security_ = std::move(*secured);
  return {};
}

expected<void> node_cluster::open(caf::actor_system& system, storage::database& database,
                                  const caf::actor& supervisor, const std::string& http,
                                  const std::string& admin) {
  if (!is_alone()) {
    cluster::link_options options;
    options.cluster_id = database.cluster_id();
    options.incarnation = incarnation_;
    options.started_at = started_at_;
    options.schema = storage::all_migrations().back().version;
    options.marks = plan_.marks;
    options.service = cluster::make_peer_service(
      {plan_.env, table_, cutoffs_, plan_.obey, [this] { ownership_.look_again(); }});
    options.log = plan_.env->log;
    options.random = plan_.env->random;
    auto opened = cluster::cluster_links::open(system, *plan_.settings, std::move(security_),
                                               std::move(options));
    if (!opened)
      return opened.error();
    links_ = std::move(*opened);
    router_->connect(links_->port());
    cutoffs_->connect(links_->port());
  }
  ownership_.begin(database, supervisor, links_ ? &links_->port() : nullptr, card(http, admin));
  return {};
}

storage::node_card node_cluster::card(const std::string& http, const std::string& admin) const {
  storage::node_card card;
  card.id = plan_.settings->id;
  card.incarnation = incarnation_;
  card.advertise = links_ ? links_->advertise() : std::string{};
  card.http = http;
  card.admin = admin;
  card.version = version();
  card.serves_shards = plan_.settings->serve_shards;
  return card;
}

void node_cluster::close_links() {
  if (links_)
    links_->stop();
}

std::vector<links::link_status> node_cluster::links() const {
  return links_ ? links_->port().status() : std::vector<links::link_status>{};
}

void node_cluster::tell_others(const links::peer_request& what) const {
  if (!links_)
    return;
  for (const auto& node : ownership_.others())
    links_->port().ask(
      node.id, what, milliseconds{limits::peer_answer_ms_max},
      [log = plan_.env->log, id = node.id](const links::peer_outcome& outcome) {
        if (!outcome)
          log(actors::severity::warning,
              "node " + id + " was not told: " + outcome.error().detail);
      });
}

std::string node_cluster::waiting_for() const {
  if (ownership_.is_draining())
    return "The node stops.";
  if (!ownership_.is_admitted())
    return "No link to any of the other nodes yet: it is given no shards.";
  const auto reason = unserved();
  const auto now_us = plan_.env->now().time_since_epoch().count();
  if (reason.empty())
    fine_at_us_.store(now_us, std::memory_order_relaxed);
  else if (!is_alone()
           && now_us - fine_at_us_.load(std::memory_order_relaxed)
                < limits::look_for_owner_ms_max * 1'000)
    return {};
  return reason;
}

std::string node_cluster::unserved() const {
  if (!ownership_.has_seen())
    return "The databases have not been read yet.";
  // One that is away when the node starts holds it up for a while only.
  const bool is_new =
    fine_at_us_.load(std::memory_order_relaxed) == 0
    && plan_.env->now() - started_at_ < milliseconds{limits::look_for_owner_ms_max};
  if (const auto missing = ownership_.out_of_reach(); is_new && !missing.empty())
    return "The database of shards " + text_of(missing.front()) + " has not been read yet.";
  auto waiting = ownership_.servable();
  std::erase_if(waiting, [this](auto shard) {
    return plan_.env->gauge(shard).serving.load(std::memory_order_relaxed);
  });
  return waiting.empty() ? std::string{}
                         : "Shards " + ranges_text(waiting) + " are not served yet.";
}

std::vector<std::string> node_cluster::warnings() const {
  std::vector<std::string> all;
  for (const auto& range : ownership_.out_of_reach())
    all.push_back("The database of shards " + text_of(range) + " is out of reach.");
  if (const auto behind = ownership_.behind(); !behind.empty())
    all.push_back("Shards " + ranges_text(behind)
                  + " lack acknowledged events: docs/cluster.md says what to do.");
  std::vector<shard_number> unowned;
  const auto places = table_->all();
  for (std::uint16_t shard = 0; shard < places.size(); ++shard)
    if (places[shard].owner.empty())
      unowned.push_back({shard});
  if (!unowned.empty())
    all.push_back("Shards " + ranges_text(unowned) + " have no owner.");
  return all;
}

} // namespace holdfast::runtime
