#include "runtime/node/node.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/supervisor/actor.hpp"
#include "actors/system_settings.hpp"
#include "messages/limits.hpp"
#include "runtime/api/admin_api.hpp"
#include "runtime/api/public_api.hpp"
#include "runtime/log/log.hpp"
#include "runtime/node/actor_front.hpp"
#include "runtime/node/event_loop.hpp"
#include "runtime/node/node_cluster.hpp"
#include "runtime/node/node_storage.hpp"
#include "runtime/node/node_wires.hpp"
#include "runtime/node/payment_replay.hpp"
#include "runtime/node/payment_rules.hpp"
#include "runtime/node/randomness.hpp"
#include "runtime/node/route_reload.hpp"
#include "runtime/telemetry/instruments.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <future>
#include <mutex>

namespace holdfast::runtime {

namespace {

void write_log(actors::severity level, const std::string& line) {
  switch (level) {
    case actors::severity::debug: return log::write(log::level::debug, line);
    case actors::severity::info: return log::write(log::level::info, line);
    case actors::severity::warning: return log::write(log::level::warn, line);
    case actors::severity::error: return log::write(log::level::error, line);
  }
}

class running_node final : public node {
public:
  running_node(config::node_config settings, std::function<void()> must_end)
    : settings_(std::move(settings)),
      must_end_(std::move(must_end)) {}
  ~running_node() override { stop(); }

  expected<void> begin() {
    if (auto fine = check_roles(); !fine)
      return fine.error();
    marks_ = std::make_shared<storage::sequence_marks>(settings_.shards);
    auto opened = open_storage(settings_, marks_, metrics_);
    if (!opened)
      return opened.error();
    database_ = std::move(*opened);
    if (auto made = make_environment(); !made)
      return made.error();
    if (auto started = start_actors(); !started)
      return started.error();
    if (auto bound = open_ports(); !bound)
      return bound.error();
    if (auto joined =
          cluster_->open(*system_, *database_, supervisor_, http_url(), admin_url());
        !joined)
      return joined.error();
    ports_.start();
    wires_.start();
    return {};
  }

  std::string http_url() const override { return http_ ? http_->url() : std::string{}; }
  std::string admin_url() const override { return admin_->url(); }

  expected<void> reload_routes() override {
    const std::lock_guard lock{reloading_};
    return runtime::reload_routes(settings_.file, ends_, *routes_);
  }

  std::optional<std::string> failure() const override {
    const std::lock_guard lock{failing_};
    return failure_;
  }

  void stop() override {
    if (std::exchange(stopped_, true))
      return;
    if (cluster_ && !failure() && cluster_->ownership().has_heirs())
      hand_over();
    // From the outside in: no new requests, then the actors' last writes, then the leases.
    if (http_)
      http_->stop();
    if (cluster_ && !cluster_->is_alone())
      await_no_connection(milliseconds{limits::last_answers_ms_max});
    if (cluster_) {
      cluster_->router().close();
      // Without heirs too: what is let go from here on is not to be taken again.
      cluster_->ownership().begin_to_drain();
    }
    stop_actors();
    await_no_connection(milliseconds{limits::answers_leave_ms_max});
    if (cluster_) {
      cluster_->ownership().release_all();
      cluster_->close_links();
    }
    ports_.stop();
    wires_.stop();
    // Who hears only now that there is nothing to be read may go on with all that is here: a
    // page of metrics shows the links, and what the journal does.
    if (database_)
      database_->end_reads();
    http_.reset();
    admin_.reset();
    public_api_.reset();
    admin_api_.reset();
    if (cluster_)
      cluster_->ownership().end();
    // Storage's last callbacks still send to actors, which are done by now but not yet gone.
    if (system_)
      system_->await_all_actors_done();
    cluster_.reset();
    database_.reset();
    system_.reset();
  }

private:
  // -- inner parts
  // ----------------------------------------------------------------------------------

  expected<void> check_roles() const {
    // Never plain text where somebody asked for TLS.
    if (settings_.http.tls)
      return make_error(errc::invalid_argument,
                        "[http] tls: this version doesn't terminate TLS; put a proxy in front "
                        "and leave it out");
    const bool is_alone = settings_.cluster_listen.empty();
    if (is_alone && !settings_.cluster_seeds.empty())
      return make_error(
        errc::invalid_argument,
        "[cluster] seeds: without [cluster] listen this node is alone; say where "
        "it listens, or leave the seeds out");
    if (is_alone && !settings_.serve_shards)
      return make_error(
        errc::invalid_argument,
        "[node] roles: without \"shards\" all requests go to other nodes; say in "
        "[cluster] listen where this node meets them");
    return {};
  }

  expected<void> make_environment() {
    env_ = std::make_shared<actors::environment>();
    env_->journal = &database_->journal();
    env_->store = &database_->store();
    env_->settlement = &database_->settlement();
    env_->now = wall_clock_now;
    env_->random = random_bits;
    env_->log = write_log;
    env_->later = [this](milliseconds pause, std::function<void()> run) {
      wires_.run_later(pause, std::move(run));
    };
    env_->rules_of = payment_rules(settings_);
    env_->layout = config::layout_of(settings_);
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

  expected<void> start_actors() {
    auto gateways = make_gateways(settings_, env_, wires_.io(), ends_.gateways);
    if (!gateways)
      return gateways.error();
    auto acquirers = make_acquirers(settings_, wires_.io());
    if (!acquirers)
      return acquirers.error();
    auto orphans = plan_orphan_search(settings_, env_, wires_.io());
    if (!orphans)
      return orphans.error();
    cluster_ = std::make_unique<node_cluster>(plan_cluster());
    front_ = std::make_unique<actor_front>(env_, ends_.gateways, *cluster_);
    if (auto prepared = cluster_->prepare(actor_settings_); !prepared)
      return prepared.error();
    system_ = std::make_unique<caf::actor_system>(actor_settings_);
    actors::supervisor_plan plan;
    plan.env = env_;
    plan.gateways = std::move(*gateways);
    plan.acquirers = std::move(*acquirers);
    plan.orphans = std::move(*orphans);
    plan.orphans.raise = [this](shard_number shard, std::vector<new_exception> found) {
      cluster_->router().raise(shard, std::move(found));
    };
    plan.reacquire = [this](shard_number shard) { cluster_->ownership().reacquire(shard); };
    plan.released = [this](shard_number shard, epoch_number epoch) {
      cluster_->ownership().released(shard, epoch);
    };
    supervisor_ = actors::spawn_supervisor(*system_, std::move(plan));
    return {};
  }

  node_cluster_plan plan_cluster() {
    node_cluster_plan plan;
    plan.settings = &settings_;
    plan.env = env_;
    plan.marks = marks_;
    plan.metrics = &metrics_;
    plan.obey = [this](const std::string& from, const links::breaker_for_node& wish) {
      front_->obey(from, wish);
    };
    plan.superseded = [this](const std::string& why) { fail(why); };
    return plan;
  }

  void fail(const std::string& why) {
    {
      const std::lock_guard lock{failing_};
      if (failure_)
        return;
      failure_ = why;
    }
    log::fail("node must end", {{"reason", why}});
    if (must_end_)
      must_end_();
  }

  // -- the end
  // --------------------------------------------------------------------------------------

  /// Others take the shards over while this node still listens, and hands on what comes; so
  /// that nobody is turned away.
  void hand_over() {
    // Connections come and go: a moment without any doesn't mean that nobody comes any more.
    const bool is_used = http_ && http_->connections() > 0;
    const milliseconds announce{is_used ? limits::drain_announce_ms : 0};
    auto announced = std::make_shared<std::promise<void>>();
    wires_.run_later(announce, [announced] { announced->set_value(); });
    if (http_)
      http_->drain();
    cluster_->ownership().begin_to_drain();
    if (!cluster_->ownership().await_handed_over(milliseconds{limits::hand_over_ms_max}))
      log::warn("not all shards could be handed over in time; others take what is left");
    announced->get_future().wait_for(announce);
  }

  void await_no_connection(milliseconds at_most) const {
    if (http_)
      static_cast<void>(http_->await_no_connection(at_most));
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
    keys_ = std::make_unique<api::key_ring>(*env_->store, secret{settings_.key_pepper},
                                            env_->later, config::layout_of(settings_));
    make_routing();
    api::public_options options;
    options.layout = config::layout_of(settings_);
    options.requests_per_second = settings_.http.requests_per_second;
    for (const auto& gateway : settings_.gateways)
      if (!gateway.webhook_secret.empty())
        options.webhook_secrets.emplace(gateway.name, secret{gateway.webhook_secret});
    public_api_ =
      std::make_unique<api::public_api>(*env_->store, *front_, *keys_, *routes_, options);
    admin_api_ = make_admin_api();
    if (settings_.serve_http) {
      auto http = listen(settings_.http.listen, public_limits(), "public",
                         [this](http::request request, http::responder respond) {
                           public_api_->handle(std::move(request), std::move(respond));
                         });
      if (!http)
        return http.error();
      http_ = std::move(*http);
      telemetry::watch_connections(metrics_, "public", [this] { return http_->connections(); });
    }
    auto admin = listen(settings_.admin_listen, admin_limits(), "admin",
                        [this](http::request request, http::responder respond) {
                          admin_api_->handle(std::move(request), std::move(respond));
                        });
    if (!admin)
      return admin.error();
    admin_ = std::move(*admin);
    telemetry::watch_connections(metrics_, "admin", [this] { return admin_->connections(); });
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
    options.node = settings_.id;
    options.routes = routes_.get();
    options.reload_routes = [this] { return reload_routes(); };
    options.layout = config::layout_of(settings_);
    options.fee_bps_default = settings_.settlement.platform_fee_bps;
    options.cutoff_timeout = milliseconds{limits::cutoff_answer_ms_max};
    options.random = random_bits;
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
  std::function<void()> must_end_;
  telemetry::registry metrics_;
  actors::system_settings actor_settings_;
  event_loop ports_{"http"};
  event_loop wires_{"wires"};
  std::shared_ptr<storage::sequence_marks> marks_;
  std::unique_ptr<storage::database> database_;
  actors::environment_ptr env_;
  route_ends ends_;
  std::mutex reloading_; ///< a signal and an operator may ask for it at once
  std::unique_ptr<node_cluster> cluster_;
  std::unique_ptr<actor_front> front_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor supervisor_;
  std::unique_ptr<api::key_ring> keys_;
  std::unique_ptr<api::routing> routes_;
  std::unique_ptr<api::public_api> public_api_;
  std::unique_ptr<api::admin_api> admin_api_;
  std::unique_ptr<http::server> http_;
  std::unique_ptr<http::server> admin_;
  mutable std::mutex failing_;
  std::optional<std::string> failure_;
  bool stopped_ = false;
};

} // namespace

expected<std::unique_ptr<node>> node::start(config::node_config settings,
                                            std::function<void()> must_end) {
  auto made = std::make_unique<running_node>(std::move(settings), std::move(must_end));
  if (auto begun = made->begin(); !begun)
    return begun.error();
  return std::unique_ptr<node>{std::move(made)};
}

} // namespace holdfast::runtime
