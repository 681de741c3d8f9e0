#include "actors/link/roll.hpp"

#include "actors/caf.hpp"
#include "actors/link/handshake.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <algorithm>

namespace holdfast::links {

bool roll::add(const std::string& address, seat who) {
  const std::lock_guard lock{mutex_};
  if (is_closed_ || entries_.size() >= limits::links_max)
    return false;
  return entries_.try_emplace(address, entry{std::move(who), std::nullopt}).second;
}

bool roll::has(const std::string& address) const {
  const std::lock_guard lock{mutex_};
  return entries_.contains(address);
}

void roll::wake(const std::string& address) const {
  const std::lock_guard lock{mutex_};
  const auto known = entries_.find(address);
  if (known != entries_.end() && !known->second.leads_to && !known->second.is_aside)
    actors::tell(known->second.who.link, actors::connect_now{});
}

void roll::keep(std::vector<std::string> addresses) {
  const std::lock_guard lock{mutex_};
  kept_ = std::move(addresses);
}

std::optional<roll::seat> roll::find(const std::string& node) const {
  const std::lock_guard lock{mutex_};
  for (const auto& [address, one] : entries_)
    if (one.is_up && one.leads_to->node == node)
      return one.who;
  return std::nullopt;
}

std::vector<roll::seat> roll::all() const {
  const std::lock_guard lock{mutex_};
  std::vector<seat> result;
  for (const auto& [address, one] : entries_)
    if (!one.is_aside)
      result.push_back(one.who);
  return result;
}

std::vector<caf::actor> roll::close() {
  const std::lock_guard lock{mutex_};
  is_closed_ = true;
  std::vector<caf::actor> result;
  for (const auto& [address, one] : entries_)
    result.push_back(one.who.link);
  entries_.clear();
  return result;
}

claim_verdict roll::claim(const std::string& address, const introduction& who) {
  const std::lock_guard lock{mutex_};
  const auto own = entries_.find(address);
  if (own == entries_.end())
    return claim_verdict::taken; // closed
  for (auto& [other, one] : entries_) {
    if (other == address || !one.leads_to || one.leads_to->node != who.node)
      continue;
    if (one.leads_to->incarnation == who.incarnation)
      return claim_verdict::taken;
    if (is_younger(*one.leads_to, who))
      return claim_verdict::outdated;
    actors::tell(one.who.link, actors::yield_to_younger{});
    one.leads_to.reset();
    one.is_up = false;
  }
  own->second.leads_to = who;
  own->second.is_aside = false;
  return claim_verdict::granted;
}

void roll::came_up(const std::string& address) {
  const std::lock_guard lock{mutex_};
  if (const auto own = entries_.find(address); own != entries_.end())
    own->second.is_up = own->second.leads_to.has_value();
}

void roll::came_down(const std::string& address) {
  const std::lock_guard lock{mutex_};
  const auto own = entries_.find(address);
  if (own == entries_.end())
    return;
  own->second.is_up = false;
  own->second.is_aside = false;
  if (!std::exchange(own->second.leads_to, std::nullopt))
    return;
  for (const auto& [other, one] : entries_)
    if (one.is_aside)
      actors::tell(one.who.link, actors::connect_now{});
}

void roll::set_aside(const std::string& address) {
  const std::lock_guard lock{mutex_};
  if (const auto own = entries_.find(address); own != entries_.end()) {
    own->second.leads_to.reset();
    own->second.is_up = false;
    own->second.is_aside = true;
  }
}

bool roll::is_kept(const std::string& address) const {
  const std::lock_guard lock{mutex_};
  return std::ranges::find(kept_, address) != kept_.end();
}

void roll::remove(const std::string& address) {
  const std::lock_guard lock{mutex_};
  entries_.erase(address);
}

} // namespace holdfast::links
