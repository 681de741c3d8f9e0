#include "actors/reply_promise.hpp"

#include "actors/api/render.hpp"

#include <chrono>
#include <utility>

namespace holdfast::actors {

namespace {

admission::microseconds passed_since(admission::steady_time then) {
  return std::chrono::floor<admission::microseconds>(std::chrono::steady_clock::now() - then);
}

} // namespace

reply_promise::reply_promise(std::function<void(api_reply)> deliver, std::string request_id,
                             std::shared_ptr<const reroute> elsewhere,
                             std::shared_ptr<admission::control> counted)
  : deliver_(std::move(deliver)),
    request_id_(std::move(request_id)),
    elsewhere_(std::move(elsewhere)),
    counted_(std::move(counted)),
    since_(std::chrono::steady_clock::now()) {
  counted_->entered();
}

reply_promise::~reply_promise() {
  if (deliver_)
    deliver(api::answer_problem(503, "shard_unavailable",
                                "The request was interrupted; repeat it with the same key.",
                                request_id_, 1));
}

void reply_promise::deliver(api_reply reply) {
  auto once = std::exchange(deliver_, nullptr);
  if (!once)
    return;
  leave();
  once(std::move(reply));
}

void reply_promise::bounce(merchant_command command) {
  if (!deliver_)
    return;
  if (elsewhere_ != nullptr) {
    leave();
    return (*elsewhere_)(std::move(command), std::exchange(deliver_, nullptr));
  }
  deliver(api::answer_problem(503, "shard_unavailable",
                              "This shard is starting or moving; try again.", request_id_, 1));
}

void reply_promise::arrived() const {
  if (counted_)
    counted_->waited(admission::stage::mailbox, passed_since(since_));
}

void reply_promise::leave() {
  if (const auto counted = std::exchange(counted_, nullptr))
    counted->left(std::chrono::steady_clock::now(), passed_since(since_));
}

} // namespace holdfast::actors
