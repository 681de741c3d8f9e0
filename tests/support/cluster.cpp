#include "tests/support/cluster.hpp"

#include "messages/assert.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/embedded/private_config.hpp"
#include "storage/database.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;
using client::integer_at;
using client::string_at;

namespace {

constexpr milliseconds call_limit{5'000};
/// Beyond any hand-over and any lease of ours.
constexpr milliseconds balance_limit{45'000};
constexpr milliseconds ctl_limit{60'000};
constexpr const char* pepper = "a pepper that no other installation has: 0123456789";

// As in crash_site: what a kill has left open is found out within a test's patience.
constexpr milliseconds gateway_timeout{300};
constexpr milliseconds gateway_settle_time{500};

std::string whole_file(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

embedded::authority new_authority() {
  auto made = embedded::make_authority("tests", embedded::authority_days);
  if (!made)
    throw std::runtime_error{made.error().detail};
  return std::move(*made);
}

} // namespace

cluster::cluster(cluster_options options)
  : options_(std::move(options)),
    program_(from_environment(options_.binary)),
    authority_(new_authority()),
    sandbox_(program_, folder_.path(), "sandbox") {
  start_databases();
  start_sandbox();
  add_nodes();
}

cluster::~cluster() = default;

void cluster::start_databases() {
  const auto databases = static_cast<std::uint16_t>(options_.databases);
  HF_ASSERT(options_.shards % databases == 0);
  const auto share = static_cast<std::uint16_t>(options_.shards / databases);
  uuid id; // as the first database has it
  for (std::uint16_t i = 0; i < databases; ++i) {
    servers_.push_back(
      std::make_unique<postgres_server>(postgres_options{.fsync = options_.fsync}));
    const auto first = static_cast<std::uint16_t>(i * share);
    databases_.push_back(
      {first, static_cast<std::uint16_t>(first + share - 1), servers_[i]->create_database()});
    const auto& made = databases_.back();
    const storage::database_identity identity{config::node_config{}.cluster_name,
                                              options_.shards,
                                              {{made.first_shard}, {made.last_shard}},
                                              id};
    const auto migrated = storage::migrate(made.url, identity);
    if (!migrated)
      throw std::runtime_error{migrated.error().detail};
    id = *migrated;
  }
}

void cluster::start_sandbox() {
  const auto places =
    sandbox_.start({"sandbox", "--http", "127.0.0.1:0", "--state", folder_.path() / "records"});
  if (!places)
    fail("the sandbox did not start (" + sandbox_.process().ending() + ")");
  sandbox_url_ = string_at(*places, "http");
}

void cluster::add_nodes() {
  embedded::port_finder ports;
  const auto any = [&] {
    const auto found = ports.find("127.0.0.1:0");
    return found ? *found : throw std::runtime_error{found.error().detail};
  };
  for (std::size_t node = 0; node < options_.nodes; ++node) {
    nodes_.push_back(
      std::make_unique<member>(member{.process = {program_, folder_.path(), id_of(node)},
                                      .http_listen = any(),
                                      .admin_listen = any(),
                                      .cluster_listen = any()}));
    // With proxies nobody is to find another way than through them.
    nodes_.back()->advertise = options_.proxies ? any() : nodes_.back()->cluster_listen;
  }
  if (options_.proxies)
    add_proxies();
}

void cluster::add_proxies() {
  for (auto& from : nodes_)
    for (const auto& to : nodes_)
      from->ways_to.push_back(from == to ? nullptr
                                         : std::make_unique<tcp_proxy>(to->cluster_listen));
}

void cluster::set_wire(std::size_t first, std::size_t second, wire state) {
  struct modes {
    wire_mode there; ///< of the way that the first has opened
    wire_mode back;  ///< of the one that the second has opened
  };
  const auto [there, back] = [state]() -> modes {
    switch (state) {
      case wire::cut: return {wire_mode::cut, wire_mode::cut};
      case wire::reset: return {wire_mode::reset, wire_mode::reset};
      case wire::mute: return {wire_mode::hold_requests, wire_mode::hold_answers};
      case wire::whole: break;
    }
    return {wire_mode::pass, wire_mode::pass};
  }();
  nodes_[first]->ways_to[second]->set(there);
  nodes_[second]->ways_to[first]->set(back);
}

// -- configuration ----------------------------------------------------------------------------

config::tls_files cluster::write_identity(const std::string& folder,
                                          const embedded::authority& by,
                                          const std::string& node_id) const {
  const auto made = embedded::issue(by, node_id, {"127.0.0.1"}, embedded::node_days);
  if (!made)
    fail("no certificate: " + made.error().detail);
  const auto files =
    embedded::save(folder_.path() / folder, node_id, *made, by, embedded::existing::replaced);
  if (!files)
    fail("no certificate: " + files.error().detail);
  return {files->certificate, files->key, files->ca};
}

config::node_config cluster::config_of(std::size_t node) const {
  const auto& of = *nodes_[node];
  auto settings = embedded::private_config(
    {of.http_listen, of.admin_listen, sandbox_url_, databases_.front().url});
  settings.id = id_of(node);
  settings.shards = options_.shards;
  settings.lease = options_.lease;
  settings.databases = databases_;
  settings.cluster_listen = of.cluster_listen;
  settings.cluster_advertise = of.advertise;
  for (std::size_t other = 0; other < nodes_.size(); ++other)
    if (other != node)
      settings.cluster_seeds.push_back(options_.proxies ? of.ways_to[other]->address()
                                                        : nodes_[other]->cluster_listen);
  settings.cluster_tls = write_identity("certificates", authority_, settings.id);
  if (!trusted_.empty())
    std::ofstream{settings.cluster_tls->ca} << trusted_;
  for (auto& gateway : settings.gateways) {
    gateway.timeout = gateway_timeout;
    gateway.settle_time = gateway_settle_time;
  }
  if (options_.tune)
    options_.tune(settings);
  return settings;
}

void cluster::set_authority(const embedded::authority& by,
                            const std::vector<embedded::authority>& trusted) {
  authority_ = by;
  trusted_.clear();
  for (const auto& one : trusted)
    trusted_ += one.certificate_pem;
}

postgres_server& cluster::add_standby(std::size_t database) {
  standbys_.push_back(std::make_unique<postgres_server>(
    postgres_options{.fsync = options_.fsync, .standby_of = servers_[database].get()}));
  return *standbys_.back();
}

void cluster::set_database_url(std::size_t database, std::string url) {
  databases_[database].url = std::move(url);
}

std::vector<std::string> cluster::prepare(std::size_t node,
                                          const config::node_config& settings) {
  const auto file = folder_.path() / (id_of(node) + ".toml");
  std::ofstream{file} << config::to_toml(settings);
  return {"node", "--config", file};
}

// -- nodes ------------------------------------------------------------------------------------

namespace {

std::vector<std::pair<std::string, std::string>> secrets() {
  return {{std::string{embedded::pepper_variable}, pepper},
          {std::string{embedded::webhook_variable}, "a secret of this site"}};
}

} // namespace

std::string cluster::id_of(std::size_t node) {
  return "node-" + std::to_string(node + 1);
}

void cluster::start(std::size_t node, const std::function<void(config::node_config&)>& adjust) {
  auto settings = config_of(node);
  if (adjust)
    adjust(settings);
  start_with(node, settings, secrets());
}

void cluster::start_to_freeze(std::size_t node, const std::string& point) {
  auto environment = secrets();
  environment.emplace_back("HOLDFAST_FREEZE_AT", point);
  start_with(node, config_of(node), std::move(environment));
}

void cluster::start_with(std::size_t node, const config::node_config& settings,
                         std::vector<std::pair<std::string, std::string>> environment) {
  auto& one = *nodes_[node];
  const auto places = one.process.start(prepare(node, settings), std::move(environment));
  if (!places)
    fail(id_of(node) + " did not start (" + one.process.process().ending() + ")");
  one.http = string_at(*places, "http");
  one.admin = string_at(*places, "admin");
  one.serves_shards = settings.serve_shards;
  one.is_up = true;
  one.is_paused = false;
}

void cluster::start_all() {
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    if (!nodes_[node]->is_up)
      start(node);
  await_balance();
}

std::string cluster::outcry_of(std::size_t node,
                               const std::function<void(config::node_config&)>& adjust,
                               const std::string& said) {
  auto& one = *nodes_[node];
  HF_ASSERT(!one.is_up);
  const auto before = log_of(node).size();
  auto settings = config_of(node);
  adjust(settings);
  static_cast<void>(one.process.start(prepare(node, settings), secrets()));
  static_cast<void>(eventually(balance_limit, [&] {
    return !one.process.running() || log_of(node).find(said, before) != std::string::npos;
  }));
  return log_of(node).substr(before) + '(' + one.process.process().ending() + ')';
}

void cluster::dismiss(std::size_t node) {
  nodes_[node]->process.process().stop(SIGTERM, process_patience);
}

void cluster::kill(std::size_t node) {
  auto& one = *nodes_[node];
  if (!one.process.running())
    fail(id_of(node) + " has ended by itself (" + one.process.process().ending() + ")");
  one.process.process().signal(SIGKILL);
  one.is_up = false;
  if (!one.process.process().wait(process_patience))
    fail(id_of(node) + " did not die");
}

void cluster::stop(std::size_t node) {
  begin_stop(node);
  await_stop(node);
}

void cluster::begin_stop(std::size_t node) {
  nodes_[node]->process.process().signal(SIGTERM);
}

void cluster::await_stop(std::size_t node) {
  auto& one = *nodes_[node];
  auto& process = one.process.process();
  if (!process.wait(process_patience) || !process.succeeded())
    fail(id_of(node) + " did not stop in good order (" + process.ending() + ")");
  one.is_up = false;
}

void cluster::pause(std::size_t node) {
  nodes_[node]->process.process().signal(SIGSTOP);
  nodes_[node]->is_paused = true;
}

void cluster::await_freeze(std::size_t node) {
  if (!eventually(balance_limit, [&] { return is_stopped(pid(node)); }))
    fail(id_of(node) + " has not come to the point where it was to freeze");
  nodes_[node]->is_paused = true;
}

void cluster::resume(std::size_t node) {
  nodes_[node]->process.process().signal(SIGCONT);
  nodes_[node]->is_paused = false;
}

bool cluster::runs(std::size_t node) {
  return nodes_[node]->is_up && nodes_[node]->process.running();
}

pid_t cluster::pid(std::size_t node) {
  return nodes_[node]->process.process().pid();
}

bool cluster::await_end(std::size_t node, milliseconds limit) {
  return nodes_[node]->process.process().wait(limit);
}

std::string cluster::log_of(std::size_t node) const {
  return whole_file(nodes_[node]->process.log());
}

std::vector<std::size_t> cluster::up() const {
  std::vector<std::size_t> found;
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    if (nodes_[node]->is_up && !nodes_[node]->is_paused)
      found.push_back(node);
  return found;
}

// -- what they tell ---------------------------------------------------------------------------

client::json_client cluster::operators(std::size_t node) const {
  return client::json_client{nodes_[node]->admin};
}

bool cluster::is_ready(std::size_t node) const {
  return operators(node).text("/readyz", call_limit).has_value();
}

std::map<std::uint16_t, shard_seen> cluster::shards_as_seen_by(std::size_t node) const {
  std::map<std::uint16_t, shard_seen> seen;
  const auto rows = operators(node).rows("/admin/v1/shards");
  if (!rows)
    return seen;
  for (const auto& row : *rows) {
    const auto& shard = row.as_object();
    seen[static_cast<std::uint16_t>(integer_at(shard, "shard"))] = {
      string_at(shard, "owner"), integer_at(shard, "epoch"), client::flag_at(shard, "serving")};
  }
  return seen;
}

std::vector<std::uint16_t> cluster::served_by(std::size_t node) const {
  std::vector<std::uint16_t> served;
  for (const auto& [shard, seen] : shards_as_seen_by(node))
    if (seen.owner == id_of(node) && seen.serving)
      served.push_back(shard);
  return served;
}

void cluster::await_served(const std::vector<std::size_t>& by) {
  std::string shares;
  const bool served = eventually(balance_limit, [&] {
    shares.clear();
    std::size_t all = 0;
    for (const auto node : by) {
      const auto share = served_by(node).size();
      all += share;
      shares += id_of(node) + " serves " + std::to_string(share) + "; ";
    }
    return all == options_.shards;
  });
  if (!served)
    fail("not all of " + std::to_string(options_.shards) + " shards are served: " + shares);
}

void cluster::await_balance() {
  const auto nodes = up();
  const auto owners = static_cast<std::size_t>(
    std::ranges::count_if(nodes, [this](auto node) { return nodes_[node]->serves_shards; }));
  std::string shares;
  const bool balanced = eventually(balance_limit, [&] {
    shares.clear();
    std::size_t all = 0;
    bool fair = true;
    for (const auto node : nodes) {
      const auto share = served_by(node).size();
      const bool ready = is_ready(node);
      all += share;
      fair = fair && ready
             && (!nodes_[node]->serves_shards || share * owners * 2 >= options_.shards);
      shares += id_of(node) + (ready ? " is ready and serves " : " serves ")
                + std::to_string(share) + "; ";
    }
    return fair && all == options_.shards;
  });
  if (!balanced)
    fail(std::to_string(options_.shards) + " shards are not shared out: " + shares);
}

double cluster::metric(std::size_t node, const std::string& name) const {
  const auto text = operators(node).text("/metrics", call_limit);
  if (!text)
    fail(id_of(node) + " tells no metrics: " + text.error().detail);
  double sum = 0;
  std::istringstream lines{*text};
  for (std::string line; std::getline(lines, line);) {
    const auto end = line.find_first_of("{ ");
    if (line.substr(0, end) == name)
      sum += std::stod(line.substr(line.rfind(' ')));
  }
  return sum;
}

finished cluster::ctl(std::size_t node, std::vector<std::string> arguments) const {
  static int calls = 0;
  command what;
  what.program = program_;
  what.arguments = {"ctl", "--admin", nodes_[node]->admin, "--json"};
  what.arguments.insert(what.arguments.end(), arguments.begin(), arguments.end());
  what.log = folder_.path() / ("ctl-" + std::to_string(++calls) + ".log");
  return test::run(what, ctl_limit);
}

// -- as a site --------------------------------------------------------------------------------

std::vector<std::string> cluster::entrances() const {
  std::vector<std::string> urls;
  for (const auto node : up())
    if (!nodes_[node]->http.empty())
      urls.push_back(nodes_[node]->http);
  return urls;
}

client::json_client cluster::operators() const {
  const auto nodes = up();
  HF_ASSERT(!nodes.empty());
  return operators(nodes.front());
}

std::vector<std::int64_t> cluster::numbers(const char* query, int columns) const {
  std::vector<std::int64_t> sums(static_cast<std::size_t>(columns));
  for (const auto& database : databases_) {
    const auto values = read_numbers(database.url, query, columns);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += values[i];
  }
  return sums;
}

std::string cluster::logs() const {
  auto text = last_words(sandbox_.log());
  for (const auto& one : nodes_)
    text += last_words(one->process.log());
  return text;
}

void cluster::fail(const std::string& what) const {
  throw std::runtime_error{what + '\n' + logs()};
}

} // namespace holdfast::test
