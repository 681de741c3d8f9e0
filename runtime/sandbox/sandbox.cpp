#include "runtime/sandbox/sandbox.hpp"

#include "messages/assert.hpp"
#include "messages/limits.hpp"
#include "runtime/sandbox/routes.hpp"
#include "runtime/sandbox/webhooks.hpp"

#include <boost/asio/io_context.hpp>

#include <array>
#include <filesystem>

namespace holdfast::sandbox {

namespace asio = boost::asio;

http::response json_answer(std::uint16_t status, std::string body) {
  http::response answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

http::response problem_of(const error& failure, const http::request& about) {
  switch (failure.code) {
    case errc::invalid_argument:
      return http::problem(400, "invalid_request", failure.detail, about);
    case errc::conflict: return http::problem(409, "conflict", failure.detail, about);
    case errc::overloaded: return http::problem(503, "sandbox_full", failure.detail, about);
    default: return http::problem(503, "unavailable", failure.detail, about);
  }
}

http::response no_such_route(const http::request& about) {
  return http::problem(404, "not_found", "The sandbox has no such path or method.", about);
}

expected<void> sandbox_core::record(fact& entry) {
  log->stage(entry, wall_clock_now());
  auto committed = log->commit();
  if (!committed)
    return committed;
  const auto applied = state.apply(entry);
  HF_ASSERT(applied.has_value());
  return {};
}

namespace {

/// The path cut at its slashes, as far as any route goes.
class split_path {
public:
  explicit split_path(std::string_view path) {
    while (path.starts_with('/') && count_ < segments_.size()) {
      path.remove_prefix(1);
      const auto segment = path.substr(0, path.find('/'));
      segments_[count_++] = segment;
      path.remove_prefix(segment.size());
    }
  }

  [[nodiscard]] std::string_view first() const noexcept {
    return count_ == 0 ? std::string_view{} : segments_[0];
  }
  [[nodiscard]] path_segments rest() const noexcept {
    return path_segments{segments_}.subspan(1, count_ == 0 ? 0 : count_ - 1);
  }

private:
  /// One more than any route has, so that a longer path matches none.
  std::array<std::string_view, 7> segments_;
  std::size_t count_ = 0;
};

expected<void> make_folders(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder / "files", failure);
  if (failure)
    return make_error(errc::unavailable, folder.string() + ": " + failure.message());
  return {};
}

http::server_limits limits_of_server() {
  http::server_limits limits;
  limits.connections_max = limits::sandbox_connections_max;
  limits.body_bytes_max = limits::sandbox_file_bytes_max;
  return limits;
}

} // namespace

struct sandbox_server::parts {
  explicit parts(asio::io_context& io) : core(io), gateways(core), webhooks(io) {}

  void handle(const http::request& asked, http::responder answer) {
    const split_path path{asked.path};
    if (path.first() == "gateway")
      gateways.handle(path.rest(), asked, std::move(answer));
    else if (path.first() == "acquirer")
      answer(handle_acquirer(core, path.rest(), asked));
    else if (is_webhook_order(path, asked))
      webhooks.handle(asked, std::move(answer));
    else if (path.first() == "sandbox")
      answer(handle_control(core, path.rest(), asked));
    else
      answer(no_such_route(asked));
  }

  static bool is_webhook_order(const split_path& path, const http::request& asked) {
    const auto rest = path.rest();
    return path.first() == "sandbox" && rest.size() == 1 && rest[0] == "webhooks"
           && asked.method == "POST";
  }

  sandbox_core core;
  gateway_routes gateways;
  webhook_sender webhooks;
  /// Last, so that it goes first: its handler uses the others.
  std::unique_ptr<http::server> server;
};

expected<std::unique_ptr<sandbox_server>> sandbox_server::start(
  asio::io_context& io, const sandbox_options& options) {
  const std::filesystem::path folder{options.state_dir};
  auto ready = make_folders(folder);
  if (!ready)
    return ready.error();
  auto made = std::make_unique<parts>(io);
  auto& core = made->core;
  core.slow = options.slow;
  core.silence = options.silence;
  auto log = fact_log::open(folder / "facts.ndjson",
                            [&core](const fact& entry) { return core.state.apply(entry); });
  if (!log)
    return log.error();
  core.log = std::move(*log);
  core.desk = std::make_unique<settlement_desk>(io, core.state, *core.log, folder / "files");
  auto resumed = core.desk->resume();
  if (!resumed)
    return resumed.error();
  auto server = http::server::listen(
    io, options.listen, limits_of_server(),
    [raw = made.get()](const http::request& asked, http::responder answer) {
      raw->handle(asked, std::move(answer));
    });
  if (!server)
    return server.error();
  made->server = std::move(*server);
  return std::unique_ptr<sandbox_server>{new sandbox_server{std::move(made)}};
}

sandbox_server::sandbox_server(std::unique_ptr<parts> made) : parts_(std::move(made)) {}
sandbox_server::~sandbox_server() = default;

std::uint16_t sandbox_server::port() const noexcept {
  return parts_->server->port();
}
std::string sandbox_server::url() const {
  return parts_->server->url();
}
void sandbox_server::stop() {
  parts_->server->stop();
}

} // namespace holdfast::sandbox
