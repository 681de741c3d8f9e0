// The one answer that every request is owed.
#pragma once

#include "actors/admission/control.hpp"
#include "messages/commands.hpp"

#include <functional>
#include <memory>

namespace holdfast::actors {

/// Takes a command that the shard it was given to doesn't serve (it starts, moves, or is gone):
/// nothing was done with it. Runs on any thread; gives it to somebody else, or answers.
using reroute = std::function<void(merchant_command, std::function<void(api_reply)>)>;

/// Delivers exactly once, whatever becomes of the actors in between: if it is dropped
/// unanswered (its actor died), the client hears 503 and may repeat the request with the same
/// key. Used by one actor at a time; the functions may be called on any thread.
class reply_promise {
public:
  reply_promise(std::function<void(api_reply)> deliver, std::string request_id,
                std::shared_ptr<const reroute> elsewhere = nullptr)
    : deliver_(std::move(deliver)),
      request_id_(std::move(request_id)),
      elsewhere_(std::move(elsewhere)) {}
  /// Of a request that counts as one that the node works on.
  reply_promise(std::function<void(api_reply)> deliver, std::string request_id,
                std::shared_ptr<const reroute> elsewhere,
                std::shared_ptr<admission::control> counted);
  reply_promise(const reply_promise&) = delete;
  reply_promise& operator=(const reply_promise&) = delete;
  ~reply_promise();

  void deliver(api_reply reply);
  /// Hands the command back, of which nothing was done. Without a way back the client hears 503
  /// with Retry-After.
  void bounce(merchant_command command);
  /// From now on it goes there when it is handed back.
  void reroute_by(std::shared_ptr<const reroute> elsewhere) noexcept {
    elsewhere_ = std::move(elsewhere);
  }
  /// The shard has taken it out of its mailbox.
  void arrived() const;
  [[nodiscard]] const std::string& request_id() const noexcept { return request_id_; }

private:
  void leave();

  std::function<void(api_reply)> deliver_;
  std::string request_id_;
  std::shared_ptr<const reroute> elsewhere_;
  std::shared_ptr<admission::control> counted_; ///< null: it doesn't count, or has left
  admission::steady_time since_;
};

using promise_ptr = std::shared_ptr<reply_promise>;

} // namespace holdfast::actors
