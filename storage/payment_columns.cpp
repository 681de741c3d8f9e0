#include "storage/payment_columns.hpp"

#include "storage/log_columns.hpp"

#include <algorithm>

namespace holdfast::storage {

const sql add_payments{"journal_add_payments", R"sql(
insert into payment (id, shard_id, merchant_id, status, amount, captured, refunded, disputed,
                     currency, mode, reference, gateway, gateway_reference, acquirer,
                     created_at, updated_at, next_action_at, wake_at, last_seq, detail)
select unnest($1::uuid[]), unnest($2::int2[]), unnest($3::uuid[]), unnest($4::int2[]),
       unnest($5::int8[]), unnest($6::int8[]), unnest($7::int8[]), unnest($8::int8[]),
       unnest($9::text[]), unnest($10::int2[]), unnest($11::text[]), unnest($12::text[]),
       unnest($13::text[]), unnest($14::text[]), unnest($15::timestamptz[]),
       unnest($16::timestamptz[]), unnest($17::timestamptz[]), unnest($18::timestamptz[]),
       unnest($19::int8[]), unnest($20::bytea[]))sql"};

/// wake_at is indexed, so it stays where it is when it is early by little: then a new version
/// of the row needs no new index entries. The limit, all rows, is a word to the planner: of a
/// limit that it doesn't know it expects so few rows that it goes by the index, even where the
/// table was empty when the plan was made.
const sql change_payments{"journal_change_payments", R"sql(
update payment p
   set status = u.status, amount = u.amount, captured = u.captured, refunded = u.refunded,
       disputed = u.disputed, gateway = u.gateway, gateway_reference = u.gateway_reference,
       acquirer = u.acquirer, updated_at = u.updated_at, next_action_at = u.next_action_at,
       wake_at = case when p.wake_at between u.next_action_at - interval '5 seconds'
                                         and u.next_action_at
                      then p.wake_at else u.next_action_at end,
       last_seq = u.last_seq, detail = u.detail
  from (select unnest($1::uuid[]) as id, unnest($2::int2[]) as status,
               unnest($3::int8[]) as amount, unnest($4::int8[]) as captured,
               unnest($5::int8[]) as refunded, unnest($6::int8[]) as disputed,
               unnest($7::text[]) as gateway, unnest($8::text[]) as gateway_reference,
               unnest($9::text[]) as acquirer, unnest($10::timestamptz[]) as updated_at,
               unnest($11::timestamptz[]) as next_action_at, unnest($12::int8[]) as last_seq,
               unnest($13::bytea[]) as detail
         limit $14) u
 where p.id = u.id)sql"};

namespace {

/// How long most holds last; where one doesn't, its approval costs index entries.
constexpr std::chrono::hours usual_lifetime{7 * 24};

/// The attempt that a payment's own columns tell of: the one that holds the money, or else the
/// last.
const attempt* leading_attempt(const payment& subject) {
  const auto approved =
    std::ranges::find(subject.attempts, attempt_status::approved, &attempt::status);
  if (approved != subject.attempts.end())
    return &*approved;
  return subject.attempts.empty() ? nullptr : &subject.attempts.back();
}

std::string_view gateway_of(const payment& subject) {
  const auto* leading = leading_attempt(subject);
  return leading != nullptr ? std::string_view{leading->gateway} : std::string_view{};
}

std::string_view gateway_reference_of(const payment& subject) {
  const auto* leading = leading_attempt(subject);
  return leading != nullptr ? std::string_view{leading->gateway_reference} : std::string_view{};
}

/// The first wake_at: see migration 8.
std::optional<timestamp> first_wake_of(const payment& subject) {
  if (subject.status != payment_status::processing || !subject.next_action_at)
    return subject.next_action_at;
  return subject.created_at + usual_lifetime;
}

} // namespace

void added_payments::add(const saved_payment& saved) {
  const auto& subject = *saved.subject;
  ids_.add(subject.id.value);
  shards_.add(number_of(saved.shard));
  merchants_.add(subject.merchant.value);
  statuses_.add(persisted(subject.status));
  amounts_.add(subject.amount.value());
  captured_.add(subject.captured.value());
  refunded_.add(subject.refunded.value());
  disputed_.add(subject.disputed.value());
  currencies_.add(subject.unit.code());
  modes_.add(persisted(subject.mode));
  references_.add(subject.reference);
  gateways_.add(gateway_of(subject));
  gateway_references_.add(gateway_reference_of(subject));
  acquirers_.add(subject.acquirer);
  created_.add(subject.created_at);
  updated_.add(subject.updated_at);
  due_.add_optional(subject.next_action_at);
  wake_.add_optional(first_wake_of(subject));
  last_seqs_.add(saved.last_seq.value);
  details_.add(byte_view{saved.detail});
}

void added_payments::take_into(std::vector<transaction::step>& steps) {
  if (ids_.size() == 0)
    return;
  steps.push_back(
    {transaction::step_kind::rows, &add_payments,
     parameters::of(std::move(ids_), std::move(shards_), std::move(merchants_),
                    std::move(statuses_), std::move(amounts_), std::move(captured_),
                    std::move(refunded_), std::move(disputed_), std::move(currencies_),
                    std::move(modes_), std::move(references_), std::move(gateways_),
                    std::move(gateway_references_), std::move(acquirers_), std::move(created_),
                    std::move(updated_), std::move(due_), std::move(wake_),
                    std::move(last_seqs_), std::move(details_))});
}

void changed_payments::add(const saved_payment& saved) {
  const auto& subject = *saved.subject;
  ids_.add(subject.id.value);
  statuses_.add(persisted(subject.status));
  amounts_.add(subject.amount.value());
  captured_.add(subject.captured.value());
  refunded_.add(subject.refunded.value());
  disputed_.add(subject.disputed.value());
  gateways_.add(gateway_of(subject));
  gateway_references_.add(gateway_reference_of(subject));
  acquirers_.add(subject.acquirer);
  updated_.add(subject.updated_at);
  due_.add_optional(subject.next_action_at);
  last_seqs_.add(saved.last_seq.value);
  details_.add(byte_view{saved.detail});
}

void changed_payments::take_into(std::vector<transaction::step>& steps) {
  const auto rows = static_cast<std::int64_t>(ids_.size());
  if (rows == 0)
    return;
  steps.push_back(
    {transaction::step_kind::changes, &change_payments,
     parameters::of(std::move(ids_), std::move(statuses_), std::move(amounts_),
                    std::move(captured_), std::move(refunded_), std::move(disputed_),
                    std::move(gateways_), std::move(gateway_references_), std::move(acquirers_),
                    std::move(updated_), std::move(due_), std::move(last_seqs_),
                    std::move(details_), rows),
     rows});
}

} // namespace holdfast::storage
