#include "tests/support/crash_site.hpp"

#include "runtime/client/json_members.hpp"
#include "runtime/config/config.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/private_config.hpp"
#include "storage/connection.hpp"
#include "storage/database.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <deque>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;
using client::string_at;

namespace {

/// Generous: the machine may be busy with other tests. What takes this long has failed.
constexpr milliseconds patience{60'000};
constexpr milliseconds ready_call_limit{5'000};
constexpr std::size_t log_lines_read = 1'000;
constexpr std::size_t log_lines_shown = 40;
constexpr const char* pepper = "a pepper that no other installation has: 0123456789";

// Short, so that what a kill has left open is found out within a test's patience. Too short for
// the sandbox's slow answers, and so for the truth: what arrives after its reversal must still
// do no harm.
constexpr milliseconds gateway_timeout{300};
constexpr milliseconds gateway_settle_time{500};

std::optional<json::object> read_ready_file(const std::filesystem::path& path) {
  const auto content = embedded::read_file(path);
  boost::system::error_code bad;
  auto document = content ? json::parse(*content, bad) : json::value{};
  if (!content || bad || !document.is_object())
    return std::nullopt;
  return std::move(document.as_object());
}

/// A node that starts tells of every shard that it takes; the last lines beside those.
std::string telling_lines(const std::filesystem::path& log) {
  std::istringstream all{embedded::last_lines(log, log_lines_read)};
  std::deque<std::string> shown;
  for (std::string line; std::getline(all, line);) {
    if (line.find("leases: shard") != std::string::npos)
      continue;
    shown.push_back(std::move(line));
    if (shown.size() > log_lines_shown)
      shown.pop_front();
  }
  std::string text;
  for (const auto& line : shown)
    text += line + '\n';
  return text;
}

} // namespace

crash_site::crash_site(const char* binary,
                       const std::function<void(config::node_config&)>& tune)
  : binary_(from_environment(binary)),
    database_(postgres_.create_database()) {
  if (auto migrated = storage::migrate(database_, config::node_config{}.shards); !migrated)
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
  const auto ready = folder_.path() / "node.json";
  std::error_code ignored;
  std::filesystem::remove(ready, ignored);
  command node;
  node.program = binary_;
  node.arguments = {"node", "--config", folder_.path() / "node.toml", "--ready-file", ready};
  node.environment = {{std::string{embedded::pepper_variable}, pepper},
                      {std::string{embedded::webhook_variable}, "a secret of this site"},
                      {"HOLDFAST_CRASH_AT", crash_at}};
  node.log = folder_.path() / "node.log";
  node_ = test::start(node);
  std::optional<json::object> places;
  const bool listens = eventually(patience, [&] {
    places = read_ready_file(ready);
    return places || !node_->running();
  });
  if (!places) {
    if (listens && !crash_at.empty() && node_->ending() == "killed by signal 9")
      return false;
    fail("the node did not start (" + node_->ending() + ")");
  }
  http_ = string_at(*places, "http");
  admin_ = string_at(*places, "admin");
  return true;
}

void crash_site::await_ready() {
  const auto admin = operators();
  const bool ready = eventually(patience, [&] {
    return !node_->running() || admin.text("/readyz", ready_call_limit).has_value();
  });
  check_node();
  if (!ready)
    fail("the node's shards do not serve");
}

void crash_site::await_node_death(milliseconds limit) {
  if (!node_->wait(limit))
    fail("the node did not die where it was to");
  if (node_->ending() != "killed by signal 9")
    fail("the node died otherwise than it was to: " + node_->ending());
}

void crash_site::kill_node() {
  check_node();
  node_->signal(SIGKILL);
  await_node_death(patience);
}

void crash_site::check_node() {
  if (!node_->running())
    fail("the node has ended by itself (" + node_->ending() + ")");
}

// -- the others -------------------------------------------------------------------------------

void crash_site::kill_sandbox() {
  sandbox_->signal(SIGKILL);
  if (!sandbox_->wait(patience))
    fail("the sandbox did not die");
}

void crash_site::start_sandbox() {
  const auto ready = folder_.path() / "sandbox.json";
  std::error_code ignored;
  std::filesystem::remove(ready, ignored);
  const auto address =
    sandbox_url_.empty() ? "127.0.0.1:0" : sandbox_url_.substr(sandbox_url_.rfind('/') + 1);
  command sandbox;
  sandbox.program = binary_;
  sandbox.arguments = {"sandbox",      "--http", address, "--state", folder_.path() / "records",
                       "--ready-file", ready};
  sandbox.log = folder_.path() / "sandbox.log";
  sandbox_ = test::start(sandbox);
  std::optional<json::object> places;
  const bool listens = eventually(patience, [&] {
    places = read_ready_file(ready);
    return places || !sandbox_->running();
  });
  if (!listens || !places)
    fail("the sandbox did not start (" + sandbox_->ending() + ")");
  sandbox_url_ = string_at(*places, "http");
}

// -- reaching them ----------------------------------------------------------------------------

std::string crash_site::new_merchant(int stripes) const {
  const auto made = operators().post(
    "/admin/v1/merchants",
    json::object{{"name", "Crash"}, {"currency", "EUR"}, {"stripes", stripes}});
  if (!made)
    fail("no new merchant: " + made.error().detail);
  return string_at(made->as_object(), "api_key");
}

std::vector<std::int64_t> crash_site::numbers(const char* query, int columns) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto db = storage::connection::open(database_, "test", deadline);
  if (!db)
    fail("the database can't be asked: " + db.error().detail);
  const auto found = (*db)->query(storage::sql{"crash_numbers", query}, {}, deadline);
  if (!found || found->rows() != 1)
    fail(std::string{"the database does not answer "} + query);
  storage::row from{*found, 0};
  std::vector<std::int64_t> values;
  for (int i = 0; i < columns; ++i)
    values.push_back(from.int8());
  return values;
}

std::string crash_site::logs() const {
  std::string text;
  for (const char* name : {"sandbox.log", "node.log"})
    text += "--- " + std::string{name} + '\n' + telling_lines(folder_.path() / name);
  return text;
}

void crash_site::fail(const std::string& what) const {
  throw std::runtime_error{what + '\n' + logs()};
}

} // namespace holdfast::test
