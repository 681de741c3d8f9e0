#include "runtime/cluster/forwarding.hpp"

#include "messages/limits.hpp"

#include <utility>

namespace holdfast::cluster {

namespace {

milliseconds pause_after(unsigned in_vain) {
  milliseconds pause{limits::look_again_ms};
  for (unsigned time = 1; time < in_vain && pause.count() < limits::look_again_ms_max; ++time)
    pause *= 2;
  return std::min(pause, milliseconds{limits::look_again_ms_max});
}

} // namespace

search::search(shard_number shard, repeatable may_repeat, timestamp began,
               milliseconds patience)
  : shard_(shard),
    may_repeat_(may_repeat),
    began_(began),
    patience_(patience) {}

next_step search::next(const outlook& known, timestamp now) {
  using kind = next_step::kind;
  if (until_ && now >= *until_)
    return {kind::give_up};
  const auto& [owner, epoch, heir] = known.place;
  if (known.is_here && !was_just_at({}, epoch, now))
    return {kind::here};
  if (known.reaches_owner && !was_just_at(owner, epoch, now))
    return {kind::there, owner};
  // Who should have it may have it already, before the news of it has come here.
  if (known.reaches_heir && heir != owner && !was_just_at(heir, epoch, now))
    return {kind::there, heir};
  // Looking begins with the first look that finds nobody.
  set_end(now);
  return {now < *until_ ? kind::park : kind::give_up};
}

bool search::failed(const std::string& node, epoch_number epoch, try_result how,
                    timestamp now) {
  if (how == try_result::unknown) {
    in_doubt_ = true;
    if (may_repeat_ == repeatable::no)
      return false;
  }
  set_end(now);
  const auto known = std::ranges::find(attempts_, node, &attempt::node);
  if (known == attempts_.end())
    attempts_.push_back({node, epoch, now});
  else
    *known = {node, epoch, now, known->epoch == epoch ? known->in_vain + 1 : 1};
  return true;
}

/// Until somebody has it nothing is written, so that a little later is better than a refusal:
/// also for a client that asked for an answer within a second.
void search::set_end(timestamp now) {
  if (until_)
    return;
  const auto most = milliseconds{limits::look_for_owner_ms_max};
  const auto least = milliseconds{limits::look_for_owner_ms_min};
  until_ = std::min(now + most, began_ + std::max(patience_, least));
}

void search::hear_news() {
  std::erase_if(attempts_, [](const attempt& one) { return one.node.empty(); });
}

milliseconds search::patience(timestamp now) const noexcept {
  const auto passed = std::chrono::floor<milliseconds>(now - began_);
  return std::clamp(patience_ - passed, milliseconds{0}, patience_);
}

bool search::was_just_at(const std::string& node, epoch_number epoch, timestamp now) const {
  const auto found = std::ranges::find(attempts_, node, &attempt::node);
  return found != attempts_.end() && found->epoch == epoch && now >= found->at
         && now - found->at < pause_after(found->in_vain);
}

} // namespace holdfast::cluster
