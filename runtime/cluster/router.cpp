#include "runtime/cluster/router.hpp"

#include "actors/caf.hpp"
#include "messages/limits.hpp"

#include <utility>

namespace holdfast::cluster {

std::string_view to_string(forward_end how) noexcept {
  constexpr std::array<std::string_view, forward_ends> words{
    "answered", "not_owner", "unavailable", "overloaded", "unknown"};
  return words[static_cast<std::size_t>(how)];
}

std::shared_ptr<router> router::make(actors::environment_ptr env,
                                     std::shared_ptr<routing_table> table, std::string node) {
  std::shared_ptr<router> made{new router{std::move(env), std::move(table), std::move(node)}};
  // One for all commands, so that a request that is served here costs nothing more than it did.
  // One that comes back has a way of its own from then on (command_errand).
  made->reroute_ = std::make_shared<const actors::reroute>(
    [me = made->weak_from_this()](merchant_command command,
                                  std::function<void(api_reply)> done) {
      const auto self = me.lock();
      auto promise =
        std::make_shared<actors::reply_promise>(std::move(done), command.request_id);
      if (!self)
        return; // Unanswered, the promise is a 503.
      const auto shard = self->shard_for(command);
      search way{shard, repeatable::yes, self->env_->now(), command.wait};
      self->came_back(std::make_shared<command_errand>(std::move(way), std::move(command),
                                                       std::move(promise)));
    });
  return made;
}

router::router(actors::environment_ptr env, std::shared_ptr<routing_table> table,
               std::string node)
  : env_(std::move(env)),
    table_(std::move(table)),
    self_(std::move(node)),
    lot_(limits::parked_requests_max) {}

shard_number router::shard_for(const merchant_command& command) const {
  return std::visit(
    [&](const auto& action) {
      if constexpr (requires { action.payment; })
        return action.payment.shard();
      else
        return shard_of_key(command.merchant.shard(), command.stripes,
                            env_->layout.range_of(command.merchant.shard()),
                            command.idempotency_key);
    },
    command.action);
}

// -- what comes in
// ------------------------------------------------------------------------------------

void router::submit(merchant_command command, std::function<void(api_reply)> done) {
  const auto shard = shard_for(command);
  if (const auto owner = env_->peers.shard(shard)) {
    auto promise = std::make_shared<actors::reply_promise>(std::move(done), command.request_id,
                                                           reroute_, env_->intake);
    return actors::tell(owner, actors::submit{std::move(command), std::move(promise)});
  }
  auto promise =
    std::make_shared<actors::reply_promise>(std::move(done), command.request_id, reroute_);
  search way{shard, repeatable::yes, env_->now(), command.wait};
  send(
    std::make_shared<command_errand>(std::move(way), std::move(command), std::move(promise)));
}

void router::notify(webhook_notice notice, std::string request_id,
                    std::function<void(api_reply)> done) {
  // A notice is known by its id: telling it twice is telling it once.
  search way{notice.about.payment.shard(), repeatable::yes, env_->now(),
             milliseconds{limits::peer_answer_ms_max}};
  send(std::make_shared<notice_errand>(
    std::move(way), std::move(notice),
    std::make_shared<actors::reply_promise>(std::move(done), std::move(request_id))));
}

void router::order(desk_order what, desk_callback done) {
  const auto shard = what.verb == order_verb::replay           ? what.letter.shard()
                     : what.verb == order_verb::resubmit_batch ? what.batch.shard()
                                                               : what.exception.shard();
  const milliseconds patience{limits::exception_order_ms_max + limits::answer_margin_ms};
  search way{shard, repeatable::no, env_->now(), patience};
  auto made = std::make_shared<order_errand>(std::move(way), std::move(what), std::move(done));
  env_->later(patience, [watched = std::weak_ptr<order_errand>{made}] {
    if (const auto order = watched.lock())
      order->expire();
  });
  send(made);
}

void router::raise(shard_number shard, std::vector<new_exception> found) {
  // Each is raised once, whoever tells it how often.
  search way{shard, repeatable::yes, env_->now(), milliseconds{limits::peer_answer_ms_max}};
  send(std::make_shared<finding_errand>(std::move(way), std::move(found), env_->log));
}

// -- one try after the other
// --------------------------------------------------------------------------

void router::send(const errand_ptr& what) {
  const auto now = env_->now();
  const auto step = what->way().next(look(what->way().shard()), now);
  switch (step.what) {
    case next_step::kind::here: {
      const auto shard = env_->peers.shard(what->way().shard());
      return shard ? what->give_to(shard, way_back(), now) : came_back(what);
    }
    case next_step::kind::there: return ask(what, step.node);
    case next_step::kind::park: return park(what);
    case next_step::kind::give_up: return give_up(*what);
  }
}

void router::ask(const errand_ptr& what, const std::string& node) {
  const auto now = env_->now();
  const auto epoch = table_->find(what->way().shard()).epoch;
  others_->ask(node, what->request(now), what->deadline(now),
               [me = weak_from_this(), what, node, epoch](links::peer_outcome outcome) {
                 if (const auto self = me.lock())
                   self->on_answer(what, node, epoch, std::move(outcome));
               });
}

void router::on_answer(const errand_ptr& what, const std::string& node, epoch_number epoch,
                       links::peer_outcome outcome) {
  if (!outcome) {
    const auto code = outcome.error().code;
    if (code == errc::unknown_outcome) {
      count(forward_end::unknown);
      return try_again(what, node, epoch, try_result::unknown);
    }
    count(code == errc::overloaded ? forward_end::overloaded : forward_end::unavailable);
    return try_again(what, node, epoch, try_result::refused);
  }
  if (const auto* told = std::get_if<links::not_owner>(&*outcome)) {
    count(forward_end::not_owner);
    // First this one, for the news wakes those who wait, and they may be many.
    const auto news = *told;
    try_again(what, node, epoch, try_result::refused);
    return table_->learn(what->way().shard(), news.owner, news.epoch);
  }
  count(forward_end::answered);
  if (!what->answer(std::move(*outcome)))
    try_again(what, node, epoch, try_result::unknown);
}

void router::try_again(const errand_ptr& what, const std::string& node, epoch_number epoch,
                       try_result how) {
  if (what->way().failed(node, epoch, how, env_->now()))
    send(what);
  else
    give_up(*what);
}

/// From the shard of this node: nothing was done.
void router::came_back(const errand_ptr& what) {
  try_again(what, {}, table_->find(what->way().shard()).epoch, try_result::refused);
}

hand_back router::way_back() {
  return [me = weak_from_this()](const errand_ptr& what) {
    if (const auto self = me.lock())
      self->came_back(what);
  };
}

void router::give_up(errand& what) {
  given_up_.fetch_add(1, std::memory_order_relaxed);
  what.give_up();
}

// -- waiting
// ------------------------------------------------------------------------------------------

void router::park(errand_ptr what) {
  {
    const std::lock_guard guard{mutex_};
    if (!closed_ && lot_.park(what->way().shard(), what)) {
      if (!std::exchange(looks_again_, true))
        look_again_later();
      return;
    }
  }
  give_up(*what);
}

void router::look_again_later() {
  env_->later(milliseconds{limits::look_again_ms}, [me = weak_from_this()] {
    if (const auto self = me.lock())
      self->look_again();
  });
}

/// A link may be up again, or an owner have begun to serve, without a word.
void router::look_again() {
  std::vector<errand_ptr> waiting;
  {
    const std::lock_guard guard{mutex_};
    looks_again_ = false;
    waiting = lot_.take_all();
  }
  for (const auto& one : waiting)
    send(one);
}

void router::wake(const std::vector<shard_number>& shards) {
  std::vector<errand_ptr> waiting;
  {
    const std::lock_guard guard{mutex_};
    if (lot_.size() > 0)
      waiting = lot_.take(shards);
  }
  for (const auto& one : waiting) {
    one->way().hear_news();
    send(one);
  }
}

void router::close() {
  std::vector<errand_ptr> waiting;
  {
    const std::lock_guard guard{mutex_};
    closed_ = true;
    waiting = lot_.take_all();
  }
  for (const auto& one : waiting)
    give_up(*one);
}

// -- what is known
// ------------------------------------------------------------------------------------

outlook router::look(shard_number shard) const {
  outlook known;
  known.is_here = env_->peers.shard(shard) != nullptr;
  known.place = table_->find(shard);
  known.reaches_owner = reaches(known.place.owner);
  known.reaches_heir = reaches(known.place.heir);
  return known;
}

bool router::reaches(const std::string& node) const {
  return others_ != nullptr && !node.empty() && node != self_ && others_->reaches(node);
}

void router::count(forward_end how) noexcept {
  forwarded_[static_cast<std::size_t>(how)].fetch_add(1, std::memory_order_relaxed);
}

router_figures router::figures() const {
  router_figures now;
  for (std::size_t how = 0; how < forward_ends; ++how)
    now.forwarded[how] = forwarded_[how].load(std::memory_order_relaxed);
  now.given_up = given_up_.load(std::memory_order_relaxed);
  const std::lock_guard guard{mutex_};
  now.parked = lot_.size();
  return now;
}

} // namespace holdfast::cluster
