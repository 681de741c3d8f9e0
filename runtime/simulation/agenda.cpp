#include "runtime/simulation/agenda.hpp"

#include <algorithm>

namespace holdfast::simulation {

agenda::~agenda() {
  for (const auto& left : heap_)
    slots_[left.slot].drop(slots_[left.slot].bytes);
}

bool agenda::run_next() {
  if (heap_.empty())
    return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const auto next = heap_.back();
  heap_.pop_back();
  HF_ASSERT(next.at >= now_);
  now_ = next.at;
  ++steps_;
  auto& place = slots_[next.slot];
  place.run(place.bytes);
  free_.push_back(next.slot);
  return true;
}

std::uint32_t agenda::free_slot() {
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const auto number = free_.back();
  free_.pop_back();
  return number;
}

void agenda::push(entry made) {
  heap_.push_back(made);
  std::push_heap(heap_.begin(), heap_.end(), later);
}

} // namespace holdfast::simulation
