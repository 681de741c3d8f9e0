#include "runtime/simulation/checker.hpp"

#include "messages/codec.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>

namespace holdfast::simulation {

namespace {

std::int64_t moved(const payment_row& row, account_kind kind) {
  return row.moved[static_cast<std::size_t>(kind)];
}

bool is_held(payment_status status) {
  return status == payment_status::authorized || status == payment_status::partially_captured;
}

/// A terminal state may only be followed by itself.
bool may_follow(payment_status before, payment_status after) {
  if (payments::is_terminal(before))
    return before == after;
  // What a gateway has said yes to is never declined or failed afterwards.
  if (is_held(before))
    return after != payment_status::declined && after != payment_status::failed
           && after != payment_status::processing && after != payment_status::pending_gateway;
  return true;
}

} // namespace

void checker::fail(char letter, std::string sentence, payment_ref payment) {
  if (!found_)
    found_ = violation{letter, std::move(sentence), payment, world_.steps(), world_.now()};
}

// -- W, M and E: what is written
// -------------------------------------------------------------------------

void checker::commit(const payment_write& write, const shard_row& row,
                     sequence_number first_seq, const payment* before) {
  if (write.epoch != row.epoch)
    return fail('W', "a write of an epoch that has passed was committed", write.subject);
  if (first_seq.value != row.last_seq.value + 1 && !write.events.empty())
    return fail('W', "the log of the shard has a gap or a number twice", write.subject);
  if (!write.after)
    return;
  if (before != nullptr && !may_follow(before->status, write.after->status))
    return fail('E',
                "a payment that was " + std::string{to_string(before->status)} + " became "
                  + std::string{to_string(write.after->status)},
                write.subject);
  for (const auto& [at, event] : write.events) {
    world_.note(write.subject, step_kind::event, static_cast<std::uint64_t>(type_of(event)),
                static_cast<std::uint64_t>(row.epoch.value));
    evidence(before, *write.after, event, write.subject);
  }
}

/// What an event claims must be so in the gateway's own record.
void checker::evidence(const payment* before, const payment& after, const payment_event& event,
                       payment_ref payment) {
  static_cast<void>(before);
  const auto hold_of = [&](std::uint32_t number) -> const gateway_hold* {
    if (number == 0 || number > after.attempts.size())
      return nullptr;
    return world_.gateway_named(after.attempts[number - 1].gateway).find(payment, number);
  };
  const auto operation = [&](operation_kind kind, std::uint32_t ordinal) {
    const auto* held = payments::approved_attempt(after);
    const auto* hold = held == nullptr ? nullptr : hold_of(held->number);
    return hold == nullptr ? nullptr : hold->find(kind, ordinal);
  };
  if (const auto* approved = std::get_if<authorization_approved>(&event)) {
    const auto* hold = hold_of(approved->attempt);
    if (hold == nullptr || !hold->approved)
      fail('E', "an authorization was taken for approved that the gateway never approved",
           payment);
  } else if (const auto* declined = std::get_if<authorization_declined>(&event)) {
    const auto* hold = hold_of(declined->attempt);
    if (hold != nullptr && hold->is_effective())
      fail('E', "an authorization was taken for declined that the gateway holds", payment);
  } else if (const auto* reversed = std::get_if<authorization_reversed>(&event)) {
    const auto* hold = hold_of(reversed->attempt);
    if (hold == nullptr || !hold->reversed)
      fail('E', "a reversal was taken for done that the gateway never heard of", payment);
  } else if (std::holds_alternative<payment_failed>(event)) {
    for (const auto& one : after.attempts)
      if (const auto* hold = hold_of(one.number); hold != nullptr && hold->is_effective())
        fail('E', "a payment failed although a gateway holds it", payment);
  } else if (const auto* done = std::get_if<operation_succeeded>(&event);
             done != nullptr && done->kind != operation_kind::void_hold) {
    const auto* record = operation(done->kind, done->ordinal);
    if (record == nullptr || !record->succeeded)
      fail('E', "an operation was taken for done that the gateway never did", payment);
  } else if (const auto* refused = std::get_if<operation_refused>(&event);
             refused != nullptr && refused->kind != operation_kind::void_hold) {
    const auto* record = operation(refused->kind, refused->ordinal);
    if (record != nullptr && record->succeeded)
      fail('E', "an operation was taken for refused that the gateway did", payment);
  }
}

/// The payment's own postings against what it says of itself.
void checker::committed(payment_ref payment, const payment_row& row) {
  const auto& state = *row.state;
  if (state.captured > state.amount)
    return fail('M', "more was captured than was authorised", payment);
  if (state.refunded > state.captured)
    return fail('M', "more was refunded than was captured", payment);
  const auto open = is_held(state.status) ? state.amount - state.captured : minor_units{};
  if (moved(row, account_kind::hold) != open.value())
    return fail('M', "the ledger holds another amount than the payment", payment);
  const auto owed = state.captured - state.refunded;
  if (moved(row, account_kind::acquirer_receivable) != owed.value())
    fail('M', "the acquirer owes another amount than was captured and not refunded", payment);
}

// -- O: what gateways hear and hold
// ----------------------------------------------------------------------

void checker::gateway_heard(const attempt_name& name, const gateway_request& asked) {
  const auto* row = world_.db().find_payment(name.payment);
  const bool intended =
    row != nullptr && name.attempt >= 1 && row->state->attempts.size() >= name.attempt;
  if (!intended)
    return fail('O', "a gateway heard of an attempt before its intent was durable",
                name.payment);
  if (asked.operation_reference.empty())
    return;
  const bool known = std::ranges::any_of(row->state->operations, [&](const operation& op) {
    return operation_reference(row->state->id, op.kind, op.ordinal)
           == asked.operation_reference;
  });
  if (!known)
    fail('O', "a gateway heard of an operation before its intent was durable", name.payment);
}

void checker::hold_opened(const attempt_name& name) {
  const auto client = world_.client_of(name.payment);
  if (client >= charges_.size())
    charges_.resize(client + 1);
  if (++charges_[client] > 1)
    return fail('O', "two charges stand under one idempotency key", name.payment);
  const auto* row = world_.db().find_payment(name.payment);
  if (row != nullptr && payments::is_terminal(row->state->status))
    fail('E', "a gateway came to hold a payment that had ended without it", name.payment);
}

void checker::hold_closed(const attempt_name& name) {
  --charges_[world_.client_of(name.payment)];
}

// -- D and R: what clients are told
// ----------------------------------------------------------------------

void checker::answered(const request& about, const reply& what) {
  const auto name = world_.name_of(about);
  if (what.kind == answer_kind::pending) {
    if (world_.db().find_payment(what.payment) == nullptr)
      fail('D', "a client was shown a payment that is not durable", what.payment);
    return;
  }
  if (what.kind != answer_kind::definitive)
    return;
  const auto same = [&](const storage::stored_answer& other) {
    return other.status == what.answer->status && other.body == what.answer->body
           && other.location == what.answer->location;
  };
  if (about.other_body)
    return fail('R', "another request got the answer of the key's first one", what.payment);
  const auto* row = world_.db().find_key(name);
  if (row == nullptr || !row->answer)
    return fail('D', "an answer was given that is not durable", what.payment);
  if (!same(*row->answer))
    return fail('R', "an answer was given that is not the stored one", what.payment);
  auto& kept = answers_[name];
  if (!kept.answer)
    kept = {what.answer, what.payment};
  else if (!same(*kept.answer))
    fail('R', "the same key got two answers", what.payment);
}

// -- when all is quiet
// -----------------------------------------------------------------------------------

void checker::when_quiet() {
  gateways_agree();
  answers_are_kept();
  settlement_agrees();
}

void checker::at_the_end() {
  when_quiet();
  histories_agree();
}

void checker::gateways_agree() {
  for (gateway_number number = 0; number < world_.gateways(); ++number) {
    std::vector<payment_ref> wrong;
    world_.gateway(number).for_each([&](payment_ref payment, std::uint32_t attempt,
                                        const gateway_hold& hold) {
      const auto* row = world_.db().find_payment(payment);
      if (row == nullptr)
        return wrong.push_back(payment);
      const auto& state = *row->state;
      const auto* ours = payments::approved_attempt(state);
      const bool is_ours = ours != nullptr && ours->number == attempt;
      const bool ended = payments::is_terminal(state.status) && state.captured == minor_units{};
      if (hold.is_effective() && (!is_ours || ended))
        return wrong.push_back(payment);
      if (is_ours && is_held(state.status) && !hold.is_effective())
        return wrong.push_back(payment);
      if (is_ours && (hold.captured != state.captured || hold.refunded != state.refunded))
        return wrong.push_back(payment);
    });
    if (!wrong.empty())
      fail('M',
           "the record of gateway " + world_.gateway(number).name()
             + " is not what the ledger says",
           *std::ranges::min_element(wrong));
  }
}

void checker::histories_agree() {
  ledger::totals sums{};
  for (const auto& shard : world_.all_shards())
    for (const auto payment : world_.db().payments_of(shard)) {
      const auto& row = *world_.db().find_payment(payment);
      const auto folded = payments::fold(row.history);
      if (!folded)
        return fail('E', folded.error().detail, payment);
      const auto& state = *row.state;
      if (folded->status != state.status || folded->captured != state.captured
          || folded->refunded != state.refunded || folded->updated_at != state.updated_at
          || folded->next_action_at != state.next_action_at
          || encode_detail(*folded) != encode_detail(state))
        return fail('M', "the fold of the payment's history is not its snapshot", payment);
      for (std::size_t i = 0; i < sums.size(); ++i)
        sums[i] += row.moved[i];
    }
  // Holds are moved by payments alone.
  const auto hold = static_cast<std::size_t>(account_kind::hold);
  if (sums[hold] != world_.db().books().sums()[hold])
    fail('M', "the hold accounts are not the sum of what the payments hold", no_payment);
}

void checker::answers_are_kept() {
  for (const auto& [name, kept] : answers_) {
    const auto* row = world_.db().find_key(name);
    if (row == nullptr || !row->answer || row->answer->body != kept.answer->body)
      fail('D', "an answer that was given is no longer stored", kept.payment);
  }
}

void checker::settlement_agrees() {
  if (auto wrong = world_.settle().disagreement(); !wrong.empty())
    fail('M', std::move(wrong), no_payment);
}

} // namespace holdfast::simulation
