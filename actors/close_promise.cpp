#include "actors/close_promise.hpp"

#include <utility>

namespace holdfast::actors {

close_promise::~close_promise() {
  close_outcome interrupted;
  interrupted.detail = "a shard is starting or moving; its batches go on there";
  deliver(std::move(interrupted));
}

void close_promise::deliver(close_outcome outcome) {
  if (auto once = std::exchange(deliver_, nullptr))
    once(std::move(outcome));
}

} // namespace holdfast::actors
