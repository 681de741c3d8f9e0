#include "actors/reply_promise.hpp"

#include "actors/api/render.hpp"

namespace holdfast::actors {

reply_promise::~reply_promise() {
  if (deliver_)
    deliver(api::answer_problem(503, "shard_unavailable",
                                "The request was interrupted; repeat it with the same key.",
                                request_id_, 1));
}

void reply_promise::deliver(api_reply reply) {
  if (auto once = std::exchange(deliver_, nullptr))
    once(std::move(reply));
}

void reply_promise::bounce(merchant_command command) {
  if (!deliver_)
    return;
  if (elsewhere_ != nullptr)
    return (*elsewhere_)(std::move(command), std::exchange(deliver_, nullptr));
  deliver(api::answer_problem(503, "shard_unavailable",
                              "This shard is starting or moving; try again.", request_id_, 1));
}

} // namespace holdfast::actors
