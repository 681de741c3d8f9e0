#include "actors/link/ask_promise.hpp"

#include <utility>

namespace holdfast::links {

ask_promise::~ask_promise() {
  give_up("the link has ended");
}

void ask_promise::deliver(peer_outcome outcome) {
  if (auto done = std::exchange(done_, nullptr))
    done(std::move(outcome));
}

void ask_promise::give_up(const std::string& why) {
  deliver(not_answered(make_error(sent_ ? errc::unknown_outcome : errc::unavailable, why)));
}

} // namespace holdfast::links
