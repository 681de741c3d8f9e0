#include "tests/support/node.hpp"

#include "runtime/client/json_members.hpp"
#include "runtime/embedded/folder.hpp"

#include <boost/json.hpp>

#include <csignal>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;
using client::string_at;

namespace {

/// Generous: the machine may be busy with other tests. What takes this long has failed.
constexpr milliseconds patience{60'000};
constexpr std::size_t log_lines_shown = 15;

} // namespace

void private_node::start() {
  command dev;
  dev.program = from_environment(options_.binary);
  dev.arguments = {"dev",     "--data",      data(),      "--http",     "127.0.0.1:0",
                   "--admin", "127.0.0.1:0", "--sandbox", "127.0.0.1:0"};
  dev.arguments.insert(dev.arguments.end(), options_.arguments.begin(),
                       options_.arguments.end());
  dev.environment = options_.environment;
  dev.log = data() / "dev.log";
  std::error_code ignored;
  std::filesystem::remove(data() / "dev.json", ignored);
  dev_ = test::start(dev);
  const bool serves = eventually(patience, [&] { return !dev_->running() || read_dev_json(); });
  if (!serves || !dev_->running())
    fail("dev did not start (" + dev_->ending() + ")");
}

void private_node::stop() {
  dev_->signal(SIGTERM);
  if (!dev_->wait(patience) || !dev_->succeeded())
    fail("dev did not stop in good order (" + dev_->ending() + ")");
}

void private_node::kill_all() {
  const auto family = family_of(dev_->pid());
  dev_->signal(SIGKILL);
  if (!dev_->wait(patience)
      || !eventually(patience, [&] { return still_running(family).empty(); }))
    fail("processes have outlived dev");
}

void private_node::kill_node() const {
  ::kill(node_pid_, SIGKILL);
}

void private_node::await_other_node(pid_t than) {
  const bool back = eventually(
    patience, [&] { return !dev_->running() || (read_dev_json() && node_pid_ != than); });
  if (!back || !dev_->running())
    fail("the node did not come back");
}

bool private_node::read_dev_json() {
  const auto content = embedded::read_file(data() / "dev.json");
  boost::system::error_code bad;
  const auto document = content ? json::parse(*content, bad) : json::value{};
  if (!content || bad || !document.is_object())
    return false;
  const auto& object = document.as_object();
  const auto& node = object.at("nodes").as_array().at(0).as_object();
  api_key_ = string_at(object, "api_key");
  merchant_ = string_at(object, "merchant");
  webhook_secret_ = string_at(object, "webhook_secret");
  sandbox_ = string_at(object, "sandbox");
  database_ = string_at(object, "database");
  http_ = string_at(node, "http");
  admin_ = string_at(node, "admin");
  node_pid_ = static_cast<pid_t>(client::integer_at(node, "pid"));
  return true;
}

void private_node::fail(const std::string& what) const {
  std::string text = what;
  for (const char* name :
       {"dev.log", "logs/node-1.log", "logs/sandbox.log", "logs/postgres.log"})
    text += "\n--- " + std::string{name} + '\n'
            + embedded::last_lines(data() / name, log_lines_shown);
  throw std::runtime_error{text};
}

} // namespace holdfast::test
