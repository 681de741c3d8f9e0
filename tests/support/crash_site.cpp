#include "tests/support/crash_site.hpp"

#include "runtime/client/json_members.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/private_config.hpp"
#include "storage/database.hpp"

#include <boost/json/object.hpp>

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace holdfast::test {

using client::string_at;

namespace {

constexpr milliseconds ready_call_limit{5'000};
constexpr const char* pepper = "a pepper that no other installation has: 0123456789";

// Short, so that what a kill has left open is found out within a test's patience. Too short for
// the sandbox's slow answers, and so for the truth: what arrives after its reversal must still
// do no harm.
constexpr milliseconds gateway_timeout{300};
constexpr milliseconds gateway_settle_time{500};

} // namespace

crash_site::crash_site(const char* binary,
                       const std::function<void(config::node_config&)>& tune)
  : database_(postgres_.create_database()),
    sandbox_(from_environment(binary), folder_.path(), "sandbox"),
    node_(from_environment(binary), folder_.path(), "node") {
  const config::node_config usual;
  const shard_range all{{0}, {static_cast<std::uint16_t>(usual.shards - 1)}};
  if (auto migrated = storage::migrate(database_, {usual.cluster_name, usual.shards, all});
      !migrated)
    throw std::runtime_error{migrated.error().detail};
  start_sandbox();
  write_config(tune);
}

void crash_site::write_config(const std::function<void(config::node_config&)>& tune) const {
  auto node = embedded::private_config({"127.0.0.1:0", "127.0.0.1:0", sandbox_url_, database_});
  for (auto& gateway : node.gateways) {
    gateway.timeout = gateway_timeout;
    gateway.settle_time = gateway_settle_time;
  }
  if (tune)
    tune(node);
  std::ofstream{folder_.path() / "node.toml"} << config::to_toml(node);
}

// -- the node ---------------------------------------------------------------------------------

bool crash_site::start_node(const std::string& crash_at) {
  const auto places =
    node_.start({"node", "--config", folder_.path() / "node.toml"},
                {{std::string{embedded::pepper_variable}, pepper},
                 {std::string{embedded::webhook_variable}, "a secret of this site"},
                 {"HOLDFAST_CRASH_AT", crash_at}});
  if (!places) {
    if (!crash_at.empty() && node_.process().ending() == "killed by signal 9")
      return false;
    fail("the node did not start (" + node_.process().ending() + ")");
  }
  http_ = string_at(*places, "http");
  admin_ = string_at(*places, "admin");
  return true;
}

void crash_site::await_ready() {
  const auto admin = operators();
  const bool ready = eventually(process_patience, [&] {
    return !node_.running() || admin.text("/readyz", ready_call_limit).has_value();
  });
  check_node();
  if (!ready)
    fail("the node's shards do not serve");
}

void crash_site::await_node_death(milliseconds limit) {
  if (!node_.process().wait(limit))
    fail("the node did not die where it was to");
  if (node_.process().ending() != "killed by signal 9")
    fail("the node died otherwise than it was to: " + node_.process().ending());
}

void crash_site::kill_node() {
  check_node();
  node_.process().signal(SIGKILL);
  await_node_death(process_patience);
}

void crash_site::check_node() {
  if (!node_.running())
    fail("the node has ended by itself (" + node_.process().ending() + ")");
}

// -- the others -------------------------------------------------------------------------------

void crash_site::kill_sandbox() {
  sandbox_.process().signal(SIGKILL);
  if (!sandbox_.process().wait(process_patience))
    fail("the sandbox did not die");
}

void crash_site::start_sandbox() {
  const auto address =
    sandbox_url_.empty() ? "127.0.0.1:0" : sandbox_url_.substr(sandbox_url_.rfind('/') + 1);
  const auto places =
    sandbox_.start({"sandbox", "--http", address, "--state", folder_.path() / "records"});
  if (!places)
    fail("the sandbox did not start (" + sandbox_.process().ending() + ")");
  sandbox_url_ = string_at(*places, "http");
}

// -- reaching them ----------------------------------------------------------------------------

std::vector<std::int64_t> crash_site::numbers(const char* query, int columns) const {
  return read_numbers(database_, query, columns);
}

std::string crash_site::logs() const {
  return last_words(sandbox_.log()) + last_words(node_.log());
}

void crash_site::fail(const std::string& what) const {
  throw std::runtime_error{what + '\n' + logs()};
}

} // namespace holdfast::test
