// What the sandbox's paths do. Internal to runtime/sandbox.
#pragma once

#include "runtime/http/server.hpp"
#include "runtime/sandbox/delayed_answers.hpp"
#include "runtime/sandbox/fact_log.hpp"
#include "runtime/sandbox/faults.hpp"
#include "runtime/sandbox/sandbox.hpp"
#include "runtime/sandbox/settlement_desk.hpp"
#include "runtime/sandbox/state.hpp"

#include <random>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

class request_body;

/// The segments of a path after the first one ("gateway", "acquirer", "sandbox").
using path_segments = std::span<const std::string_view>;

[[nodiscard]] http::response json_answer(std::uint16_t status, std::string body);
/// The problem that tells an error of ours to the client.
[[nodiscard]] http::response problem_of(const error& failure, const http::request& about);
[[nodiscard]] http::response no_such_route(const http::request& about);

/// Of one sandbox, on one thread: every request is read, decided, recorded and answered in one
/// go.
struct sandbox_core {
  explicit sandbox_core(boost::asio::io_context& io) : delayed(io) {}

  sandbox_state state;
  std::unique_ptr<fact_log> log;
  std::unique_ptr<settlement_desk> desk;
  fault_plan faults;
  delayed_answers delayed;
  milliseconds slow{0};
  milliseconds silence{0};

  /// Numbers the fact and writes it down; from then on it is so. Errors: unavailable.
  [[nodiscard]] expected<void> record(fact& entry);
};

/// /gateway/{name}/…
class gateway_routes {
public:
  explicit gateway_routes(sandbox_core& core) : core_(core), random_(std::random_device{}()) {}

  void handle(path_segments path, const http::request& asked, http::responder answer);

private:
  /// An answer, and what becomes of it on its way.
  struct outcome {
    http::response answer;
    delivery how = delivery::normal;
  };

  outcome route(path_segments path, const http::request& asked, delivery how);
  outcome authorize(std::string_view gateway, const http::request& asked, delivery how);
  outcome reverse(std::string_view gateway, std::string_view reference,
                  const http::request& asked, delivery how);
  outcome operate(const struct operation_target& target, const http::request& asked,
                  delivery how);
  outcome inquire(std::string_view gateway, std::string_view reference, delivery how);
  outcome list(std::string_view gateway, const http::request& asked, delivery how);
  outcome make_token(std::string_view gateway, const http::request& asked, delivery how);
  /// Records the plan, or that it was dropped, and answers from it.
  outcome conclude(struct plan& planned, const http::request& asked, delivery how);
  void deliver(outcome result, milliseconds latency, http::responder answer);

  sandbox_core& core_;
  std::mt19937_64 random_;
};

/// /acquirer/{name}/files/…
[[nodiscard]] http::response handle_acquirer(sandbox_core& core, path_segments path,
                                             const http::request& asked);
/// /sandbox/…
[[nodiscard]] http::response handle_control(sandbox_core& core, path_segments path,
                                            const http::request& asked);

} // namespace holdfast::sandbox
