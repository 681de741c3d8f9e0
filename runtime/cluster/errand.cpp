#include "runtime/cluster/errand.hpp"

#include "actors/api/render.hpp"
#include "actors/caf.hpp"
#include "messages/limits.hpp"

#include <utility>

namespace holdfast::cluster {

namespace {

constexpr const char* nobody_yet =
  "The shard of this payment is starting or moving; try again.";
constexpr const char* in_doubt =
  "The node that had the request is gone; its outcome is not known yet. Repeat it with the same "
  "key.";

bool is_still_running(const api_reply& reply) {
  return reply.status == 409
         && reply.body.find(R"("code":"request_in_progress")") != std::string::npos;
}

} // namespace

milliseconds errand::deadline(timestamp) const {
  return milliseconds{limits::peer_answer_ms_max};
}

// -- commands
// -----------------------------------------------------------------------------------------

command_errand::command_errand(search way, merchant_command command,
                               actors::promise_ptr promise)
  : errand(std::move(way)),
    command_(std::move(command)),
    promise_(std::move(promise)) {}

/// What it has waited for the shard already, it doesn't wait for the payment. If it is handed
/// back it goes on looking where it was, and doesn't begin anew.
void command_errand::give_to(const caf::actor& shard, const hand_back& back, timestamp now) {
  command_.wait = way().patience(now);
  const auto elsewhere = [back, where = way()](merchant_command command,
                                               std::function<void(api_reply)> done) {
    auto promise = std::make_shared<actors::reply_promise>(std::move(done), command.request_id);
    back(std::make_shared<command_errand>(where, std::move(command), std::move(promise)));
  };
  promise_->reroute_by(std::make_shared<const actors::reroute>(elsewhere));
  actors::tell(shard, actors::submit{std::move(command_), std::move(promise_)});
}

links::peer_request command_errand::request(timestamp now) const {
  links::command_for_shard wish{way().shard(), command_};
  wish.command.wait = way().patience(now);
  return wish;
}

/// The owner answers by then, whatever becomes of the payment.
milliseconds command_errand::deadline(timestamp now) const {
  return way().patience(now)
         + milliseconds{limits::describe_grace_ms + limits::answer_margin_ms};
}

/// The owner may still be at work on what was sent before the link broke; then its client waits
/// on, for he has asked only once.
bool command_errand::answer(links::peer_answer given) {
  auto* reply = std::get_if<api_reply>(&given);
  if (reply == nullptr || (way().is_in_doubt() && is_still_running(*reply)))
    return false;
  promise_->deliver(std::move(*reply));
  return true;
}

void command_errand::give_up() {
  promise_->deliver(api::answer_problem(503, "shard_unavailable",
                                        way().is_in_doubt() ? in_doubt : nobody_yet,
                                        promise_->request_id(), 1));
}

// -- notices
// ------------------------------------------------------------------------------------------

notice_errand::notice_errand(search way, webhook_notice notice, actors::promise_ptr promise)
  : errand(std::move(way)),
    notice_(std::move(notice)),
    promise_(std::move(promise)) {}

void notice_errand::give_to(const caf::actor& shard, const hand_back& back, timestamp) {
  const auto elsewhere = [back, where = way()](webhook_notice notice,
                                               actors::promise_ptr promise) {
    back(std::make_shared<notice_errand>(where, std::move(notice), std::move(promise)));
  };
  actors::tell(
    shard, actors::deliver_webhook{std::move(notice_), std::move(promise_),
                                   std::make_shared<const actors::notice_reroute>(elsewhere)});
}

links::peer_request notice_errand::request(timestamp) const {
  return links::notice_for_shard{notice_, promise_->request_id()};
}

bool notice_errand::answer(links::peer_answer given) {
  auto* reply = std::get_if<api_reply>(&given);
  if (reply == nullptr)
    return false;
  promise_->deliver(std::move(*reply));
  return true;
}

void notice_errand::give_up() {
  promise_->deliver(api::answer_problem(
    503, "shard_unavailable", "The shard of this payment is starting or moving; send it again.",
    promise_->request_id(), 1));
}

// -- orders
// -------------------------------------------------------------------------------------------

order_errand::order_errand(search way, desk_order order, desk_callback done)
  : errand(std::move(way)),
    order_(std::move(order)),
    done_(std::move(done)) {}

order_errand::~order_errand() {
  expire();
}

void order_errand::give_to(const caf::actor& shard, const hand_back& back, timestamp) {
  auto heard = [self = shared_from_this(), back](expected<exception_id> outcome) {
    // Nothing was done, by the desk's own word.
    if (!outcome && outcome.error().code == errc::not_owner)
      return back(self);
    self->settle(std::move(outcome));
  };
  actors::tell(shard, actors::desk_call{order_, std::make_shared<desk_callback>(heard)});
}

links::peer_request order_errand::request(timestamp) const {
  return links::order_for_shard{way().shard(), order_};
}

milliseconds order_errand::deadline(timestamp) const {
  return milliseconds{limits::exception_order_ms_max + limits::answer_margin_ms};
}

bool order_errand::answer(links::peer_answer given) {
  auto* outcome = std::get_if<expected<exception_id>>(&given);
  if (outcome == nullptr)
    return false;
  settle(std::move(*outcome));
  return true;
}

void order_errand::give_up() {
  if (way().is_in_doubt())
    return expire();
  settle(make_error(errc::unavailable, "Its shard is starting or moving; try again."));
}

void order_errand::expire() {
  settle(
    make_error(errc::unknown_outcome, "Nobody has answered; look whether it has been done."));
}

void order_errand::settle(expected<exception_id> outcome) {
  if (!answered_.exchange(true))
    done_(std::move(outcome));
}

// -- findings
// -----------------------------------------------------------------------------------------

finding_errand::finding_errand(search way, std::vector<new_exception> found,
                               actors::log_function log)
  : errand(std::move(way)),
    found_(std::move(found)),
    log_(std::move(log)) {}

/// A shard that begins or moves drops them.
void finding_errand::give_to(const caf::actor& shard, const hand_back&, timestamp) {
  actors::tell(shard, actors::exceptions_found{std::move(found_)});
}

links::peer_request finding_errand::request(timestamp) const {
  return links::exceptions_for_shard{way().shard(), found_};
}

bool finding_errand::answer(links::peer_answer given) {
  return std::holds_alternative<links::accepted>(given);
}

void finding_errand::give_up() {
  log_(actors::severity::warning,
       "orphans of shard " + std::to_string(way().shard().value)
         + " could not be handed to its owner; the next search finds them again");
}

} // namespace holdfast::cluster
