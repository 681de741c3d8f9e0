#include "runtime/cluster/peer_service.hpp"

#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <atomic>
#include <utility>

namespace holdfast::cluster {

namespace {

/// The one answer that a peer is owed, from whoever is first.
class answer_once {
public:
  explicit answer_once(std::function<void(links::peer_answer)> done) : done_(std::move(done)) {}

  void operator()(links::peer_answer given) {
    if (!answered_.exchange(true))
      done_(std::move(given));
  }

private:
  std::function<void(links::peer_answer)> done_;
  std::atomic<bool> answered_{false};
};

using answer_ptr = std::shared_ptr<answer_once>;

class service {
public:
  explicit service(peer_service_parts parts) : parts_(std::move(parts)) {}

  void operator()(const std::string& from, links::peer_request what, milliseconds deadline,
                  std::function<void(links::peer_answer)> done) const {
    const auto answer = std::make_shared<answer_once>(std::move(done));
    std::visit([&](auto& wish) { serve(from, wish, deadline, answer); }, what);
  }

private:
  /// Who has it, as far as is known here.
  [[nodiscard]] links::not_owner elsewhere(shard_number shard) const {
    const auto place = parts_.table->find(shard);
    return {place.owner, place.epoch};
  }

  /// The shard's actor; none: the peer has been told so.
  [[nodiscard]] caf::actor find(shard_number shard, const answer_ptr& answer) const {
    auto found = parts_.env->peers.shard(shard);
    if (!found)
      (*answer)(elsewhere(shard));
    return found;
  }

  [[nodiscard]] actors::promise_ptr promise_of(std::string request_id,
                                               const answer_ptr& answer) const {
    return std::make_shared<actors::reply_promise>(
      [answer](api_reply reply) { (*answer)(std::move(reply)); }, std::move(request_id));
  }

  void serve(const std::string&, links::command_for_shard& wish, milliseconds,
             const answer_ptr& answer) const {
    const auto owner = find(wish.shard, answer);
    if (!owner)
      return;
    if (auto& intake = *parts_.env->intake; !intake.is_open()) {
      intake.turned_away();
      return (*answer)(api::answer_problem(503, "overloaded",
                                           "The runtime is at its limit; try again.",
                                           wish.command.request_id, 1));
    }
    auto back = std::make_shared<const actors::reroute>(
      [told = elsewhere(wish.shard), answer](
        const merchant_command&, const std::function<void(api_reply)>&) { (*answer)(told); });
    auto promise = std::make_shared<actors::reply_promise>(
      [answer](api_reply reply) { (*answer)(std::move(reply)); }, wish.command.request_id,
      std::move(back), parts_.env->intake);
    actors::tell(owner, actors::submit{std::move(wish.command), std::move(promise)});
  }

  void serve(const std::string&, links::notice_for_shard& wish, milliseconds,
             const answer_ptr& answer) const {
    const auto shard = wish.notice.about.payment.shard();
    const auto owner = find(shard, answer);
    if (!owner)
      return;
    auto back = std::make_shared<const actors::notice_reroute>(
      [told = elsewhere(shard), answer](const webhook_notice&, const actors::promise_ptr&) {
        (*answer)(told);
      });
    actors::tell(owner, actors::deliver_webhook{std::move(wish.notice),
                                                promise_of(std::move(wish.request_id), answer),
                                                std::move(back)});
  }

  void serve(const std::string&, links::order_for_shard& wish, milliseconds,
             const answer_ptr& answer) const {
    const auto owner = find(wish.shard, answer);
    if (!owner)
      return;
    auto done = std::make_shared<desk_callback>(
      [told = elsewhere(wish.shard), answer](expected<exception_id> outcome) {
        // Nothing was done, by the desk's own word: who asks may look again.
        if (!outcome && outcome.error().code == errc::not_owner)
          return (*answer)(told);
        (*answer)(std::move(outcome));
      });
    actors::tell(owner, actors::desk_call{std::move(wish.order), std::move(done)});
  }

  void serve(const std::string&, links::exceptions_for_shard& wish, milliseconds,
             const answer_ptr& answer) const {
    const auto owner = find(wish.shard, answer);
    if (!owner)
      return;
    actors::tell(owner, actors::exceptions_found{std::move(wish.exceptions)});
    (*answer)(links::accepted{});
  }

  void serve(const std::string&, links::cutoff_for_node& wish, milliseconds deadline,
             const answer_ptr& answer) const {
    const milliseconds margin{limits::answer_margin_ms};
    parts_.cutoffs->close_here(
      wish, std::max(deadline - margin, deadline / 2),
      [answer](const runtime::cutoff_result& result, std::vector<shard_number> shards) {
        links::cutoff_answer told;
        told.ok = result.complete;
        told.shards = std::move(shards);
        told.batches = result.batches;
        told.items = result.items;
        told.files = result.files;
        told.reconciled = result.reconciled;
        told.exceptions = result.exceptions;
        told.detail = result.detail;
        (*answer)(std::move(told));
      });
  }

  void serve(const std::string& from, links::breaker_for_node& wish, milliseconds,
             const answer_ptr& answer) const {
    parts_.obey(from, wish);
    (*answer)(links::accepted{});
  }

  void serve(const std::string&, links::shards_released&, milliseconds,
             const answer_ptr& answer) const {
    parts_.look_again();
    (*answer)(links::accepted{});
  }

  peer_service_parts parts_;
};

} // namespace

links::peer_service make_peer_service(peer_service_parts parts) {
  return service{std::move(parts)};
}

} // namespace holdfast::cluster
