// The one answer that every request is owed.
#pragma once

#include "messages/commands.hpp"

#include <functional>
#include <memory>

namespace holdfast::actors {

/// Delivers exactly once, whatever becomes of the actors in between: if it is dropped
/// unanswered (its actor died), the client hears 503 and may repeat the request with the same
/// key. Used by one actor at a time; the function may be called on any thread.
class reply_promise {
public:
  explicit reply_promise(std::function<void(api_reply)> deliver, std::string request_id)
    : deliver_(std::move(deliver)),
      request_id_(std::move(request_id)) {}
  reply_promise(const reply_promise&) = delete;
  reply_promise& operator=(const reply_promise&) = delete;
  ~reply_promise();

  void deliver(api_reply reply);
  [[nodiscard]] const std::string& request_id() const noexcept { return request_id_; }

private:
  std::function<void(api_reply)> deliver_;
  std::string request_id_;
};

using promise_ptr = std::shared_ptr<reply_promise>;

} // namespace holdfast::actors
