#include "runtime/cluster/cluster_links.hpp"

#include "actors/caf.hpp"
#include "actors/link/door.hpp"
#include "actors/link/mesh.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"
#include "runtime/cluster/connections.hpp"
#include "runtime/cluster/credentials.hpp"
#include "runtime/cluster/prober.hpp"
#include "runtime/cluster/tls_watch.hpp"
#include "runtime/config/values.hpp"
#include "runtime/version.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/all.hpp>
#include <caf/timespan.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace holdfast::cluster {

namespace {

using actors::severity;

/// Actors that are yet to end.
class farewell {
public:
  void await(const caf::actor& who) {
    {
      const std::lock_guard lock{state_->mutex};
      ++state_->left;
    }
    caf::actor_cast<caf::abstract_actor*>(who)->attach_functor(
      [state = state_](const caf::error&) {
        const std::lock_guard lock{state->mutex};
        --state->left;
        state->changed.notify_all();
      });
  }

  void wait_for(milliseconds patience) {
    std::unique_lock lock{state_->mutex};
    state_->changed.wait_for(lock, patience, [this] { return state_->left == 0; });
  }

private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = 0;
  };

  std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// The types that CAF's middleman sends; besides ours and the core's own.
void init_io_types() {
  static std::once_flag once;
  std::call_once(once, [] { caf::io::middleman::init_global_meta_objects(); });
}

links::introduction introduction_of(const config::node_config& settings,
                                    const link_options& options,
                                    const caf::actor_system& system) {
  links::introduction self;
  self.cluster = settings.cluster_name;
  self.cluster_id = options.cluster_id;
  self.node = settings.id;
  self.incarnation = options.incarnation;
  self.started_at = options.started_at;
  self.program = std::string{version()};
  self.schema = options.schema;
  self.shards = settings.shards;
  self.io_node = to_string(system.node());
  return self;
}

/// What this node says of itself. Where it can be reached is known once it listens, and by then
/// somebody may have asked.
class own_introduction {
public:
  explicit own_introduction(links::introduction self) : self_(std::move(self)) {}

  links::introduction read() const {
    const std::lock_guard lock{mutex_};
    return self_;
  }
  void set_advertise(const std::string& address) {
    const std::lock_guard lock{mutex_};
    self_.advertise = address;
  }

private:
  mutable std::mutex mutex_;
  links::introduction self_;
};

/// CAF's own, in plain text or under TLS.
caf::actor middleman_of(caf::actor_system& system, bool is_secure) {
  return is_secure ? caf::actor_cast<caf::actor>(system.openssl_manager().actor_handle())
                   : caf::actor_cast<caf::actor>(system.middleman().actor_handle());
}

expected<std::uint16_t> publish(const caf::actor& door, const std::string& address,
                                bool is_secure) {
  const auto parsed = config::parse_address(address);
  if (!parsed)
    return make_error(errc::invalid_argument,
                      "[cluster] listen: " + config::check_address(address));
  const std::string host{parsed->host};
  const auto port =
    is_secure ? caf::openssl::publish(door, parsed->port, host.c_str(), true)
              : door.home_system().middleman().publish(door, parsed->port, host.c_str(), true);
  if (!port)
    return make_error(errc::unavailable, "[cluster] listen: " + address
                                           + " cannot be listened on: is it in use already?");
  return *port;
}

/// Where others reach us; its port is the real one if the configuration left it open.
std::string advertised(const config::node_config& settings, std::uint16_t listen_port) {
  auto address =
    settings.cluster_advertise.empty() ? settings.cluster_listen : settings.cluster_advertise;
  if (address.ends_with(":0"))
    address.replace(address.size() - 1, 1, std::to_string(listen_port));
  return address;
}

tls_watch::listener tell_of_visitors(const actors::log_function& log) {
  return [log](const std::string& host, const std::string& why) {
    log(severity::warning, "a connection from " + host + " to the cluster port: " + why);
  };
}

} // namespace

expected<link_security> prepare_links(const config::node_config& settings,
                                      caf::actor_system_config& caf_settings) {
  link_security security;
  if (settings.cluster_tls) {
    auto keys = node_credentials::load(*settings.cluster_tls, settings.id);
    if (!keys)
      return keys.error();
    security.credentials = std::move(*keys);
    caf_settings.openssl_certificate = security.credentials->certificate_path();
    caf_settings.openssl_key = security.credentials->key_path();
    caf_settings.openssl_cafile = security.credentials->authority_path();
  } else if (const auto address = config::parse_address(settings.cluster_listen);
             !settings.cluster_insecure_loopback || !address || address->host != "127.0.0.1") {
    return make_error(errc::invalid_argument,
                      "[cluster] listen: links need tls = {certificate, key, ca}; without it "
                      "there is --insecure-loopback, for tests on 127.0.0.1 alone");
  }
  init_io_types();
  caf_settings.load<caf::io::middleman>();
  if (security.credentials)
    caf_settings.load<caf::openssl::manager>();
  caf_settings.set("caf.middleman.enable-automatic-connections", false);
  // Links have heartbeats of their own; runtime/cluster/connections.hpp says what CAF's would
  // do.
  caf_settings.set("caf.middleman.heartbeat-interval", caf::timespan{0});
  // One thread reads messages as one runs actors; the rest is done where they come in.
  caf_settings.set("caf.middleman.workers", std::size_t{1});
  return security;
}

class cluster_links::parts {
public:
  parts(caf::actor_system& system, const config::node_config& settings, link_security security,
        const actors::log_function& log)
    : security_(std::move(security)),
      connections_(std::make_shared<connections>(system, tell_of_visitors(log))),
      prober_(std::make_shared<prober>(security_.credentials)),
      visitors_(tell_of_visitors(log)),
      mesh_(std::make_shared<links::mesh>(system, settings.cluster_seeds)) {}

  ~parts() { stop(); }

  links::environment make_environment(caf::actor_system& system, link_options options) {
    links::environment env;
    env.keys = security_.credentials;
    env.marks = std::move(options.marks);
    env.service = std::move(options.service);
    env.log = std::move(options.log);
    env.now = [] { return std::chrono::steady_clock::now(); };
    env.random = std::move(options.random);
    env.roll = mesh_->names();
    env.middleman = middleman_of(system, security_.credentials != nullptr);
    // Not the prober's owner: what it looks at for a link may be the last that holds the link,
    // and the prober must not end on its own thread.
    env.probe = [prober = std::weak_ptr{prober_}](const std::string& host, std::uint16_t port,
                                                  prober::callback done) {
      if (const auto alive = prober.lock())
        alive->look_at(host, port, std::move(done));
    };
    env.is_connected = [connections = connections_](const caf::node_id& node) {
      return connections->has(node);
    };
    env.drop = [connections = connections_](const caf::node_id& node) {
      connections->drop(node);
    };
    env.tidy = [connections = connections_] { connections->tidy(); };
    env.met = [mesh = std::weak_ptr{mesh_}](const std::string& address) {
      if (const auto alive = mesh.lock())
        alive->meet(address);
    };
    return env;
  }

  void receive_at(caf::actor door) { door_ = std::move(door); }

  void stop() {
    if (!door_)
      return;
    auto leaving = mesh_->names()->close();
    leaving.push_back(std::exchange(door_, nullptr));
    farewell goodbye;
    for (const auto& one : leaving) {
      goodbye.await(one);
      actors::tell(one, actors::say_goodbye{});
    }
    leaving.clear();
    goodbye.wait_for(milliseconds{limits::links_stop_ms_max});
  }

  links::mesh& mesh() noexcept { return *mesh_; }

private:
  link_security security_;
  std::shared_ptr<connections> connections_;
  std::shared_ptr<prober> prober_;
  tls_watch visitors_;
  std::shared_ptr<links::mesh> mesh_;
  caf::actor door_;
};

expected<std::unique_ptr<cluster_links>> cluster_links::open(
  caf::actor_system& system, const config::node_config& settings, link_security security,
  link_options options) {
  const bool is_secure = security.credentials != nullptr;
  auto inner = std::make_unique<parts>(system, settings, std::move(security), options.log);
  const auto self =
    std::make_shared<own_introduction>(introduction_of(settings, options, system));
  auto env =
    std::make_shared<links::environment>(inner->make_environment(system, std::move(options)));
  env->self = [self] { return self->read(); };
  auto door = links::spawn_door(system, env);
  inner->receive_at(door);
  const auto port = publish(door, settings.cluster_listen, is_secure);
  if (!port)
    return port.error(); // The door closes with the parts.
  const auto advertise = advertised(settings, *port);
  self->set_advertise(advertise);
  inner->mesh().start(std::move(env));
  return std::unique_ptr<cluster_links>{new cluster_links{std::move(inner), advertise, *port}};
}

cluster_links::cluster_links(std::unique_ptr<parts> inner, std::string advertise,
                             std::uint16_t listen_port)
  : parts_(std::move(inner)),
    advertise_(std::move(advertise)),
    listen_port_(listen_port) {}

cluster_links::~cluster_links() = default;

links::port& cluster_links::port() noexcept {
  return parts_->mesh();
}

void cluster_links::stop() {
  parts_->stop();
}

} // namespace holdfast::cluster
