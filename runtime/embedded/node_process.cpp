#include "runtime/embedded/node_process.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/embedded/folder.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::embedded {

namespace fs = std::filesystem;
namespace json = boost::json;
using client::string_at;
using steady = std::chrono::steady_clock;

namespace {

constexpr milliseconds backoff_first{50};
constexpr milliseconds backoff_max{5'000};
constexpr milliseconds ready_call_limit{1'000};

/// "http://127.0.0.1:8080" → "127.0.0.1:8080"
std::string address_of(const std::string& url) {
  const auto begin = url.find("://");
  return begin == std::string::npos ? url : url.substr(begin + 3);
}

} // namespace

node_process::node_process(config::node_config settings, node_files files,
                           program_starter starter)
  : settings_(std::move(settings)),
    files_(std::move(files)),
    starter_(std::move(starter)),
    http_wanted_(settings_.http.listen),
    admin_wanted_(settings_.admin_listen) {
  place_.id = settings_.id;
  place_.log = files_.log;
}

expected<void> node_process::write_config() const {
  return write_private_file(files_.config, files_.head + config::to_toml(settings_));
}

expected<void> node_process::start() {
  if (auto written = write_config(); !written)
    return written;
  std::error_code ignored;
  fs::remove(files_.ready, ignored);
  auto started =
    starter_({"node", "--config", files_.config, "--ready-file", files_.ready}, files_.log);
  if (!started)
    return started.error();
  process_ = std::move(*started);
  return {};
}

bool node_process::is_ready() {
  const auto content = read_file(files_.ready);
  boost::system::error_code bad;
  const auto told = content ? json::parse(*content, bad) : json::value{};
  if (bad || !told.is_object() || !process_)
    return false;
  const auto admin = string_at(told.as_object(), "admin");
  if (!client::json_client{admin}.text("/readyz", ready_call_limit))
    return false;
  place_.pid = process_->pid();
  place_.http = string_at(told.as_object(), "http");
  place_.admin = admin;
  settings_.http.listen = address_of(place_.http);
  settings_.admin_listen = address_of(place_.admin);
  // From here on a node started by hand, or again, listens where this one does. Without it any
  // free ports would do as well.
  static_cast<void>(write_config());
  return true;
}

expected<bool> node_process::bring_back(const std::function<void(const std::string&)>& tell) {
  if (!restart_) {
    if (process_->running())
      return false;
    tell(id() + " has died (" + process_->ending() + "); starting it again");
    restart_ = restart{0, steady::now(), false};
  }
  if (!restart_->started) {
    if (steady::now() < restart_->next_start)
      return false;
    restart_->started = true;
    const auto started = start();
    return started ? expected<bool>{false} : started.error();
  }
  if (!process_->running()) {
    const auto later = start_later();
    return later ? expected<bool>{false} : later.error();
  }
  if (!is_ready())
    return false;
  restart_.reset();
  tell(id() + " is back as process " + std::to_string(place_.pid));
  return true;
}

/// It has died before it was ready.
expected<void> node_process::start_later() {
  if (++restart_->failures > limits::node_restarts_max)
    return make_error(errc::unavailable, id() + " does not come back (" + process_->ending()
                                           + "); see " + files_.log.string());
  // Somebody may have taken a port that was any free one: then take any other.
  if (restart_->failures > 1) {
    settings_.http.listen = http_wanted_;
    settings_.admin_listen = admin_wanted_;
  }
  const auto backoff = std::min(backoff_max, backoff_first * (1 << restart_->failures));
  restart_->next_start = steady::now() + backoff;
  restart_->started = false;
  return {};
}

} // namespace holdfast::embedded
