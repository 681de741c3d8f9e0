// One request on its way through the public or the admin API: what was asked, by whom, and the
// one place where answers and refusals become HTTP.
#pragma once

#include "messages/commands.hpp"
#include "runtime/api/dispatch.hpp"
#include "runtime/api/key_ring.hpp"
#include "runtime/api/refusal.hpp"
#include "runtime/http/server.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace holdfast::api {

/// Shared by the callbacks that work on it; must be answered exactly once, from any thread.
/// What is not answered when the last reference goes is answered by the engine with a 500.
class exchange {
public:
  exchange(http::request request, http::responder respond)
    : request_(std::move(request)),
      respond_(std::move(respond)) {}

  [[nodiscard]] const http::request& request() const noexcept { return request_; }
  /// What stood in the place of the path's placeholder.
  [[nodiscard]] const std::string& argument() const noexcept { return argument_; }
  /// Whose key it was. Only where the route asks for one.
  [[nodiscard]] const caller& who() const noexcept { return who_; }

  /// `route` is the path's template: a label of metrics, so never made of input.
  void assign(std::string_view route, std::string argument);
  void identify(const caller& who) { who_ = who; }

  void send(http::response answer) const;
  void send_json(std::uint16_t status, std::string body) const;
  /// An actor's answer; `preference_applied` as in `preference`.
  void send(api_reply reply, const std::string& preference_applied) const;

  void refuse(const refusal& why, http::header_list headers = {}) const;
  /// What `refuse` would answer, for somebody else to answer with.
  [[nodiscard]] api_reply reply_of(const refusal& why) const;
  /// 404 `not_found`: also for what belongs to another merchant, so that nothing is given away.
  void refuse_absent(std::string_view what) const;
  /// The store's failure: 503 with Retry-After where trying again may help, else 500.
  void refuse(const error& failure) const;

private:
  http::request request_;
  http::responder respond_;
  std::string_view route_ = "unmatched";
  std::string argument_;
  caller who_;
};

using exchange_ptr = std::shared_ptr<exchange>;

/// Assigns the exchange to the route that was found. False: there is none, and it was refused
/// with 404, or with 405 and Allow.
[[nodiscard]] bool assign_or_refuse(const dispatched& target, exchange& call);

} // namespace holdfast::api
