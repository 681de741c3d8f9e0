#include "runtime/node/node.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/supervisor/actor.hpp"
#include "messages/limits.hpp"
#include "runtime/api/admin_api.hpp"
#include "runtime/api/public_api.hpp"
#include "runtime/gateways/sandbox_acquirer.hpp"
#include "runtime/gateways/sandbox_gateway.hpp"
#include "runtime/gateways/sandbox_lister.hpp"
#include "runtime/log/log.hpp"
#include "runtime/node/actor_front.hpp"
#include "runtime/node/event_loop.hpp"
#include "runtime/node/payment_replay.hpp"
#include "runtime/node/payment_rules.hpp"
#include "runtime/node/route_reload.hpp"
#include "runtime/telemetry/instruments.hpp"
#include "storage/database.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <openssl/rand.h>

#include <algorithm>
#include <future>
#include <mutex>

namespace holdfast::runtime {

namespace {

std::uint64_t system_random() {
  std::uint64_t value = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
  return value;
}

void write_log(actors::severity level, const std::string& line) {
  switch (level) {
    case actors::severity::debug: return log::write(log::level::debug, line);
    case actors::severity::info: return log::write(log::level::info, line);
    case actors::severity::warning: return log::write(log::level::warn, line);
    case actors::severity::error: return log::write(log::level::error, line);
  }
}

/// CAF's default scheduler spins itself to death on two cores; the sharing one doesn't.
class actor_config : public caf::actor_system_config {
public:
  actor_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", limits::actor_threads);
    set("caf.scheduler.max-throughput", limits::actor_throughput);
  }
};

void init_actor_types() {
  static std::once_flag once;
  std::call_once(once, [] {
    caf::init_global_meta_objects<caf::id_block::holdfast>();
    caf::core::init_global_meta_objects();
  });
}

class running_node final : public node {
public:
  explicit running_node(config::node_config settings) : settings_(std::move(settings)) {}
  ~running_node() override { stop(); }

  expected<void> begin() {
    // Never plain text where somebody asked for TLS.
    if (settings_.http.tls)
      return make_error(errc::invalid_argument,
                        "[http] tls: this version doesn't terminate TLS; put a proxy in front "
                        "and leave it out");
    if (!settings_.cluster_listen.empty() || !settings_.cluster_seeds.empty())
      return make_error(errc::invalid_argument,
                        "[cluster] listen, seeds: this version runs one node; leave them out");
    if (auto opened = open_storage(); !opened)
      return opened.error();
    if (auto made = make_environment(); !made)
      return made.error();
    if (auto started = start_actors(); !started)
      return started.error();
    return open_ports();
  }

  std::string http_url() const override { return http_->url(); }
  std::string admin_url() const override { return admin_->url(); }

  expected<void> reload_routes() override {
    const std::lock_guard lock{reloading_};
    return runtime::reload_routes(settings_.file, ends_, *routes_);
  }

  void stop() override {
    if (std::exchange(stopped_, true))
      return;
    // From the outside in: no new requests, then the actors' last writes, then the leases.
    if (http_)
      http_->stop();
    stop_actors();
    if (leases_)
      leases_->release_all();
    ports_.stop();
    wires_.stop();
    http_.reset();
    admin_.reset();
    public_api_.reset();
    admin_api_.reset();
    if (front_)
      front_->show_leases(nullptr);
    leases_.reset();
    // Storage's last callbacks still send to actors, which are done by now but not yet gone.
    if (system_)
      system_->await_all_actors_done();
    database_.reset();
    system_.reset();
  }

private:
  // -- inner parts
  // ----------------------------------------------------------------------------------

  expected<void> open_storage() {
    if (settings_.databases.size() != 1)
      return make_error(errc::invalid_argument,
                        "storage.databases: expected exactly one database");
    storage::database_options options;
    options.url = settings_.databases.front().url;
    options.shards = settings_.shards;
    options.node = settings_.id;
    options.lease = settings_.lease;
    auto opened = storage::open_database(std::move(options));
    if (!opened)
      return opened.error();
    database_ = std::move(*opened);
    database_->observe_commits(telemetry::observe_commits(metrics_));
    return {};
  }

  expected<void> make_environment() {
    env_ = std::make_shared<actors::environment>();
    env_->journal = &database_->journal();
    env_->store = &database_->store();
    env_->settlement = &database_->settlement();
    env_->now = wall_clock_now;
    env_->random = system_random;
    env_->log = write_log;
    env_->later = [this](milliseconds pause, std::function<void()> run) {
      wires_.run_later(pause, std::move(run));
    };
    env_->rules_of = payment_rules(settings_);
    env_->shard_count = settings_.shards;
    for (std::uint16_t shard = 0; shard < settings_.shards; ++shard)
      env_->gauges.push_back(std::make_unique<actors::shard_gauges>());
    return set_terms();
  }

  expected<void> set_terms() {
    auto& terms = env_->terms;
    const auto cutoff = merchants::parse_time_of_day(settings_.settlement.cutoff);
    if (!cutoff)
      return make_error(errc::invalid_argument, "settlement.cutoff: " + cutoff.error().detail);
    if (auto zone = merchants::check_zone(settings_.settlement.zone); !zone)
      return make_error(errc::invalid_argument, "settlement.zone: " + zone.error().detail);
    terms.cutoff = *cutoff;
    terms.zone = settings_.settlement.zone;
    terms.items_max = settings_.settlement.max_items;
    terms.answer_deadline = settings_.settlement.answer_deadline;
    terms.silent_retry = settings_.settlement.silent_retry;
    return {};
  }

  expected<std::vector<actors::gateway_seat>> make_gateways(std::vector<named_board>& boards) {
    std::vector<actors::gateway_seat> seats;
    for (const auto& gateway : settings_.gateways) {
      auto wire =
        gateways::make_sandbox_gateway(wires_.io(), {gateway.url, gateway.concurrency});
      if (!wire)
        return make_error(errc::invalid_argument,
                          "gateway " + gateway.name + ": " + wire.error().detail);
      auto board = std::make_shared<actors::gateway_board>(gate_rules_of(gateway.breaker));
      boards.emplace_back(gateway.name, board);
      seats.push_back({env_,
                       gateway.name,
                       std::move(*wire),
                       std::move(board),
                       {gateway.concurrency, gateway.timeout}});
    }
    return seats;
  }

  expected<std::vector<actors::supervisor_plan::acquirer_seat>> make_acquirers() {
    std::vector<actors::supervisor_plan::acquirer_seat> seats;
    for (const auto& acquirer : settings_.acquirers) {
      auto wire = acquirers::make_sandbox_acquirer(wires_.io(), acquirer.url);
      if (!wire)
        return make_error(errc::invalid_argument,
                          "acquirer " + acquirer.name + ": " + wire.error().detail);
      seats.push_back({acquirer.name, std::move(*wire), acquirer.timeout});
    }
    return seats;
  }

  expected<actors::orphan_search_plan> plan_orphan_search() {
    actors::orphan_search_plan plan;
    plan.env = env_;
    plan.every = settings_.settlement.orphan_search;
    plan.window = settings_.settlement.orphan_window;
    for (const auto& gateway : settings_.gateways) {
      auto wire = gateways::make_sandbox_lister(wires_.io(), gateway.url);
      if (!wire)
        return make_error(errc::invalid_argument,
                          "gateway " + gateway.name + ": " + wire.error().detail);
      plan.gateways.push_back({gateway.name, std::move(*wire)});
    }
    return plan;
  }

  expected<void> start_actors() {
    auto gateways = make_gateways(ends_.gateways);
    if (!gateways)
      return gateways.error();
    auto acquirers = make_acquirers();
    if (!acquirers)
      return acquirers.error();
    auto orphans = plan_orphan_search();
    if (!orphans)
      return orphans.error();
    front_ = std::make_unique<actor_front>(env_, ends_.gateways);
    init_actor_types();
    system_ = std::make_unique<caf::actor_system>(actor_settings_);
    actors::supervisor_plan plan;
    plan.env = env_;
    plan.gateways = std::move(*gateways);
    plan.acquirers = std::move(*acquirers);
    plan.orphans = std::move(*orphans);
    plan.reacquire = [this](shard_number shard) { leases_->reacquire(shard); };
    supervisor_ = actors::spawn_supervisor(*system_, std::move(plan));
    leases_ = database_->keep_leases(
      {[to = supervisor_](storage::acquired_shard got) {
         actors::tell(to, actors::shard_acquired{std::move(got)});
       },
       [to = supervisor_](shard_number shard, epoch_number epoch) {
         actors::tell(to, actors::shard_lost{shard, epoch, "its lease or its writer is gone"});
       }});
    front_->show_leases(leases_.get());
    std::vector<shard_number> wanted;
    for (std::uint16_t shard = 0; shard < settings_.shards; ++shard)
      wanted.push_back({shard});
    leases_->want(std::move(wanted));
    return {};
  }

  void stop_actors() {
    if (!supervisor_)
      return;
    auto stopped = std::make_shared<std::promise<void>>();
    auto finished = stopped->get_future();
    actors::tell(supervisor_, actors::shut_down{std::make_shared<std::function<void()>>(
                                [stopped] { stopped->set_value(); })});
    if (finished.wait_for(milliseconds{limits::node_stop_ms_max}) != std::future_status::ready)
      log::warn(
        "actors did not stop in time; what they had not written is found in the journal");
    supervisor_ = nullptr;
  }

  // -- ports
  // ----------------------------------------------------------------------------------------

  expected<void> open_ports() {
    keys_ = std::make_unique<api::key_ring>(*env_->store, secret{settings_.key_pepper});
    make_routing();
    api::public_options options;
    options.shards = settings_.shards;
    options.requests_per_second = settings_.http.requests_per_second;
    for (const auto& gateway : settings_.gateways)
      if (!gateway.webhook_secret.empty())
        options.webhook_secrets.emplace(gateway.name, secret{gateway.webhook_secret});
    public_api_ =
      std::make_unique<api::public_api>(*env_->store, *front_, *keys_, *routes_, options);
    admin_api_ = make_admin_api();
    telemetry::watch_journal(metrics_, [this] { return database_->figures(); });
    auto http = listen(settings_.http.listen, public_limits(), "public",
                       [this](http::request request, http::responder respond) {
                         public_api_->handle(std::move(request), std::move(respond));
                       });
    if (!http)
      return http.error();
    http_ = std::move(*http);
    auto admin = listen(settings_.admin_listen, admin_limits(), "admin",
                        [this](http::request request, http::responder respond) {
                          admin_api_->handle(std::move(request), std::move(respond));
                        });
    if (!admin)
      return admin.error();
    admin_ = std::move(*admin);
    telemetry::watch_connections(metrics_, "public", [this] { return http_->connections(); });
    telemetry::watch_connections(metrics_, "admin", [this] { return admin_->connections(); });
    ports_.start();
    wires_.start();
    return {};
  }

  void make_routing() {
    for (const auto& acquirer : settings_.acquirers)
      ends_.acquirers.push_back(acquirer.name);
    const auto is_shut = [boards = ends_.gateways](const std::string& gateway) {
      const auto known = std::ranges::find(boards, gateway, &named_board::first);
      return known != boards.end()
             && known->second->gate.state(actors::gateway_clock())
                  == gateways::breaker_state::open;
    };
    routes_ = std::make_unique<api::routing>(settings_.routes, wall_clock_now(), settings_.file,
                                             is_shut);
    log_doubts(*routes_);
    metrics_.watch("holdfast_routes_generation", "The routing table in force, counted from 1.",
                   "gauge", {},
                   [this] { return static_cast<double>(routes_->in_force()->generation); });
  }

  std::unique_ptr<api::admin_api> make_admin_api() {
    api::admin_options options;
    options.routes = routes_.get();
    options.reload_routes = [this] { return reload_routes(); };
    options.shards = settings_.shards;
    options.fee_bps_default = settings_.settlement.platform_fee_bps;
    options.cutoff_timeout = milliseconds{limits::cutoff_answer_ms_max};
    options.random = system_random;
    options.fold = replay_payment;
    return std::make_unique<api::admin_api>(*env_->store, *front_, *keys_, metrics_, options);
  }

  expected<std::unique_ptr<http::server>> listen(const std::string& address,
                                                 http::server_limits limits,
                                                 const std::string& port,
                                                 http::handler handle) {
    auto made = http::server::listen(ports_.io(), address, limits, std::move(handle),
                                     telemetry::observe_requests(metrics_, port));
    if (!made)
      return make_error(made.error().code, "[" + port + "] " + made.error().detail);
    return made;
  }

  http::server_limits public_limits() const {
    http::server_limits bounds;
    bounds.connections_max = settings_.http.connections_max;
    bounds.body_bytes_max = settings_.http.body_bytes_max;
    return bounds;
  }

  /// Operators wait for long work: a verification, a whole settlement.
  static http::server_limits admin_limits() {
    http::server_limits longer;
    longer.handler_timeout = milliseconds{limits::admin_answer_ms_max};
    return longer;
  }

  config::node_config settings_;
  telemetry::registry metrics_;
  actor_config actor_settings_;
  event_loop ports_;
  event_loop wires_;
  std::unique_ptr<storage::database> database_;
  actors::environment_ptr env_;
  route_ends ends_;
  std::mutex reloading_; ///< a signal and an operator may ask for it at once
  std::unique_ptr<actor_front> front_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor supervisor_;
  std::unique_ptr<storage::lease_keeper> leases_;
  std::unique_ptr<api::key_ring> keys_;
  std::unique_ptr<api::routing> routes_;
  std::unique_ptr<api::public_api> public_api_;
  std::unique_ptr<api::admin_api> admin_api_;
  std::unique_ptr<http::server> http_;
  std::unique_ptr<http::server> admin_;
  bool stopped_ = false;
};

} // namespace

expected<std::unique_ptr<node>> node::start(config::node_config settings) {
  auto made = std::make_unique<running_node>(std::move(settings));
  if (auto begun = made->begin(); !begun)
    return begun.error();
  return std::unique_ptr<node>{std::move(made)};
}

} // namespace holdfast::runtime
