// The messages that actors of one node exchange, and CAF's one type-id block. Only one of them
// crosses a node's border: a frame, which carries a Protobuf envelope.
//
// The others are moved, not serialized; so they are marked as unsafe to send over a network.
#pragma once

#include "actors/acquirer/client.hpp"
#include "actors/close_promise.hpp"
#include "actors/link/ask_promise.hpp"
#include "actors/orphans/lister.hpp"
#include "actors/payment/core.hpp"
#include "actors/reply_promise.hpp"
#include "messages/commands.hpp"
#include "messages/desk_order.hpp"
#include "messages/peer.hpp"
#include "storage/key_retention.hpp"
#include "storage/leases.hpp"
#include "storage/settlement.hpp"

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/type_id.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::actors {

// -- to a shard
// ---------------------------------------------------------------------------------------

/// A merchant's command that belongs to this shard.
struct submit {
  merchant_command command;
  promise_ptr promise;
};

/// Takes a notice that the shard it was given to doesn't serve, as `reroute` takes a command.
using notice_reroute = std::function<void(webhook_notice, promise_ptr)>;

/// A gateway's notice about a payment of this shard; the shard hands it on to the payment as it
/// is. Whoever drops it leaves the gateway a 503, and it will send it again.
struct deliver_webhook {
  webhook_notice notice;
  promise_ptr promise;
  std::shared_ptr<const notice_reroute> elsewhere{}; ///< none: 503
};

/// From a payment: wake it at this time (in place of the time before); none: no more.
struct wake_me {
  payment_id payment;
  std::optional<timestamp> at;
  bool is_idle = false; ///< and nothing is pending in it, as payment_idle says
};

/// From a payment: the definitive answer of a key is durable.
struct request_settled {
  std::string key;
  api_reply reply;
  wake_me then; ///< of the payment: how it goes on
};

/// From a payment: how it stands now, for the client whose time is up.
struct request_pending {
  payment_id payment;
  std::string key;
  api_reply reply;
};

/// From a payment: the key was taken in the database; nothing was written.
struct key_was_taken {
  payment_id payment;
  std::string key;
  storage::stored_key row;
  bool never_existed = false; ///< the key was to create this payment
};

/// From a payment: nothing was written under the key and nothing will be.
struct request_dropped {
  payment_id payment;
  std::string key;
  api_reply reply;
  bool never_existed = false; ///< it was the payment's creation
};

/// From a payment: nothing is pending in it.
struct payment_idle {
  payment_id payment;
};

/// From a payment: a capture or refund succeeded and waits for a batch.
struct item_ready {
  merchant_id merchant;
  timestamp at;
};

/// From a payment that was asked to go: it can't, it has work.
struct passivation_declined {
  payment_id payment;
};

/// From a payment's actor, whatever it ends of: this was its last message.
struct payment_ended {
  payment_id payment;
  caf::actor_id who = 0; ///< another actor may have the payment's seat by now
  caf::error reason;     ///< none: it was asked to go
};

struct shard_loaded {
  expected<storage::shard_start> start;
  expected<std::vector<merchant_id>> merchants;
};

struct payment_loaded {
  payment_id payment;
  expected<std::optional<storage::payment_view>> found;
};

struct due_loaded {
  expected<std::vector<payment>> due;
};

/// The stored row of a key whose payment's actor died under it.
struct key_loaded {
  payment_id payment;
  std::string key;
  merchant_id merchant;
  expected<std::optional<storage::stored_key>> row;
};

/// The stored row of a key under which a request came that is refused if it is new.
struct key_looked_up {
  merchant_id merchant;
  std::string key;
  expected<std::optional<storage::stored_key>> row;
};

/// The uses of these keys were written down, or were not; and unused ones were swept.
struct keys_retained {
  storage::retain_keys_request request;
  expected<storage::retained_keys> result;
};

/// All writes of a dead payment actor are decided: it can be rebuilt.
struct payment_quiet {
  payment_id payment;
};

/// Close batches now; `done` hears when they are filed (and, with `settle`, reconciled).
struct close_batches_now {
  std::optional<merchant_id> merchant;
  timestamp captured_before;
  bool settle = false;
  close_promise_ptr done; ///< may be null
  close_outcome so_far;   ///< of the transactions before
};

struct batches_closed {
  close_batches_now request;
  expected<storage::closed_batches> result;
};

struct shard_tick {};

/// Let the requests under way finish, within bounds, and what is being written; then quit.
/// Requests that come meanwhile are handed back. The lease is given up by the caller.
struct drain {
  /// Runs when nothing more will be written; then the actor stays for a moment, to hand back
  /// what still comes. None: nothing comes any more.
  std::shared_ptr<const std::function<void()>> drained{};
};

/// To a shard that drains: all that it wrote is decided.
struct journal_closed {};

/// Kills one of the shard's actors, chosen by `choice`: for chaos tests.
struct kill_one {
  std::uint64_t choice = 0;
};

// -- to a payment
// -------------------------------------------------------------------------------------

/// A merchant's request, admitted by the shard.
struct payment_request {
  payments::command what;
  std::string key;
  fingerprint request{};
  std::string request_id;
  std::string traceparent;
  bool tell_when_durable = false; ///< Prefer: respond-async
};

struct gateway_reply {
  payments::call_target target;
  gateway_answer answer;
};

struct journal_done {
  storage::write_result result;
};

struct wake_up {};

/// Say how you stand, for this key.
struct describe {
  std::string key;
};

/// Quit, if nothing is under way; else say so.
struct passivate {};

// -- to a gateway or acquirer
// -----------------------------------------------------------------------------

struct gateway_call {
  gateway_request request;
  payments::call_target target;
  caf::actor reply_to;
  bool is_repeat = false; ///< the operation was tried before
};

struct gateway_call_ended {
  gateway_verdict verdict = gateway_verdict::unknown;
  std::int64_t duration_us = 0;
  std::uint64_t permit = 0; ///< as the breaker gave it
};

/// To a gateway: look again at the calls that wait, for time has passed or an operator has
/// tripped or reset the breaker.
struct gateway_tick {};

struct acquirer_call {
  acquirers::acquirer_request request;
  std::uint64_t ticket = 0;
  caf::actor reply_to;
};

struct acquirer_call_ended {};

// -- to a merchant
// ------------------------------------------------------------------------------------

/// Look at the clock, and count again what waits for the next batch.
struct cutoff_tick {};

struct items_counted {
  expected<std::uint64_t> count;
};

// -- to a reconciler
// ------------------------------------------------------------------------------------

/// There may be something to do. `done` hears once no file of the shard is open, or on the next
/// pause when `settle` is false.
struct drive_settlement {
  bool settle = false;
  close_promise_ptr done; ///< may be null
  close_outcome so_far;
};

struct acquirer_reply {
  std::uint64_t ticket = 0;
  acquirers::acquirer_answer answer;
};

struct unfiled_loaded {
  expected<std::vector<storage::batch_content>> batches;
};

struct files_loaded {
  expected<std::vector<storage::settlement_file>> files;
};

struct content_loaded {
  expected<std::vector<storage::batch_content>> batches;
};

struct settlement_written {
  expected<bool> result;
};

/// Only the one that was set last counts.
struct settlement_tick {
  std::uint64_t number = 0;
};

// -- exceptions and dead letters, through their shard
// ------------------------------------------------------

/// Answered as not_owner where the shard isn't served: nothing was done then.
struct desk_call {
  desk_order order;
  std::shared_ptr<desk_callback> done;
};

struct case_loaded {
  expected<std::optional<storage::exception_case>> found;
};

struct letter_loaded {
  expected<std::optional<storage::dead_letter_view>> found;
};

struct desk_payment_loaded {
  expected<std::optional<storage::payment_view>> found;
};

struct desk_written {
  expected<bool> result;
};

struct desk_timeout {};

/// To a shard: the search for orphans has found these of it.
struct exceptions_found {
  std::vector<new_exception> exceptions;
};

/// To a shard, from one of its actors: this can't go on without a person.
struct dead_letter_found {
  storage::dead_letter letter;
};

/// To a shard: take the payment up again that was left alone, or look again at what is due.
struct payment_revived {
  payment_id payment;
};

// -- to the search for orphans
// ------------------------------------------------------------------------------

struct orphan_tick {};

struct authorizations_listed {
  std::uint64_t ticket = 0;
  expected<gateways::authorization_page> page;
};

struct listed_payments_loaded {
  std::uint64_t ticket = 0;
  expected<std::vector<payment>> payments;
};

struct held_payments_loaded {
  std::uint64_t ticket = 0;
  expected<std::vector<payment>> payments;
};

// -- to the supervisor
// ------------------------------------------------------------------------------------

struct shard_acquired {
  storage::acquired_shard shard;
};

struct shard_lost {
  shard_number shard;
  epoch_number epoch;
  std::string reason;
};

/// The shard is wanted elsewhere: let it finish what it writes, then let it go.
struct give_up_shard {
  shard_number shard;
  epoch_number epoch;
};

/// A shard that was to be given up: nothing more is written in this epoch.
struct shard_drained {
  shard_number shard;
  epoch_number epoch;
};

/// These run on this node, of what runs once in the cluster.
struct singletons_held {
  std::vector<std::string> names;
};

struct restart_child {
  bool is_gateway = false; ///< else an acquirer
  std::size_t index = 0;
};

struct restart_orphan_search {};

struct shut_down {
  std::shared_ptr<std::function<void()>> done;
};

// -- between nodes
// ----------------------------------------------------------------------------------------

/// What goes from one node to another: an envelope, as messages/envelope.hpp writes it.
struct frame {
  caf::strong_actor_ptr from; ///< who is to be answered; set in the first one only
  std::string bytes;
};

template <class Inspector>
bool inspect(Inspector& f, frame& x) {
  return f.object(x).fields(f.field("from", x.from), f.field("bytes", x.bytes));
}

// -- to a link, or to the door that the links of other nodes come to
// ----------------------------------------------------------------------------------------

/// To a link: ask its node.
struct ask_peer {
  links::peer_request what;
  links::steady_time until;
  links::ask_promise_ptr promise;
};

/// To a link: whether a connection to its address can work, and if not, why.
struct address_probed {
  std::uint64_t attempt = 0;
  expected<void> result;
};

/// To a link: try now, rather than after its pause.
struct connect_now {};

/// To a link: a younger incarnation of its node is linked.
struct yield_to_younger {};

/// To the door: what this node has done of a peer's request.
struct peer_answered {
  std::uint64_t session = 0;
  std::uint64_t request = 0;
  links::peer_answer answer;
};

/// To a link or the door: look at your deadlines.
struct link_tick {};

/// To a link or the door: say goodbye and quit.
struct say_goodbye {};

} // namespace holdfast::actors

/// Every message above but the frame, once: for the type ids and for the leave to send it
/// unserialized.
// clang-format off
#define HOLDFAST_LOCAL_MESSAGES(X) \
  X(submit) \
  X(deliver_webhook) \
  X(request_settled) \
  X(request_pending) \
  X(key_was_taken) \
  X(request_dropped) \
  X(wake_me) \
  X(payment_idle) \
  X(passivation_declined) \
  X(payment_ended) \
  X(item_ready) \
  X(shard_loaded) \
  X(payment_loaded) \
  X(due_loaded) \
  X(key_loaded) \
  X(key_looked_up) \
  X(keys_retained) \
  X(payment_quiet) \
  X(close_batches_now) \
  X(batches_closed) \
  X(shard_tick) \
  X(drain) \
  X(journal_closed) \
  X(kill_one) \
  X(payment_request) \
  X(gateway_reply) \
  X(journal_done) \
  X(wake_up) \
  X(describe) \
  X(passivate) \
  X(gateway_call) \
  X(gateway_call_ended) \
  X(gateway_tick) \
  X(acquirer_call) \
  X(acquirer_call_ended) \
  X(cutoff_tick) \
  X(items_counted) \
  X(drive_settlement) \
  X(acquirer_reply) \
  X(unfiled_loaded) \
  X(files_loaded) \
  X(content_loaded) \
  X(settlement_written) \
  X(settlement_tick) \
  X(desk_call) \
  X(case_loaded) \
  X(letter_loaded) \
  X(desk_payment_loaded) \
  X(desk_written) \
  X(desk_timeout) \
  X(exceptions_found) \
  X(dead_letter_found) \
  X(payment_revived) \
  X(orphan_tick) \
  X(authorizations_listed) \
  X(listed_payments_loaded) \
  X(held_payments_loaded) \
  X(restart_orphan_search) \
  X(shard_acquired) \
  X(shard_lost) \
  X(give_up_shard) \
  X(shard_drained) \
  X(singletons_held) \
  X(restart_child) \
  X(shut_down) \
  X(ask_peer) \
  X(address_probed) \
  X(connect_now) \
  X(yield_to_younger) \
  X(peer_answered) \
  X(link_tick) \
  X(say_goodbye)
// clang-format on

#define HOLDFAST_ADD_TYPE(name) CAF_ADD_TYPE_ID(holdfast, (holdfast::actors::name))
#define HOLDFAST_ALLOW(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(holdfast::actors::name)

CAF_BEGIN_TYPE_ID_BLOCK(holdfast, first_custom_type_id)
HOLDFAST_LOCAL_MESSAGES(HOLDFAST_ADD_TYPE)
HOLDFAST_ADD_TYPE(frame)
CAF_END_TYPE_ID_BLOCK(holdfast)

HOLDFAST_LOCAL_MESSAGES(HOLDFAST_ALLOW)

#undef HOLDFAST_ADD_TYPE
#undef HOLDFAST_ALLOW
#undef HOLDFAST_LOCAL_MESSAGES
