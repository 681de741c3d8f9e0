#include "storage/notice_columns.hpp"

#include "storage/log_columns.hpp"

namespace holdfast::storage {

const sql claim_webhooks{"journal_claim_webhooks", R"sql(
insert into webhook_event (gateway, event_id, shard_id, subject, received_at)
select unnest($1::text[]), unnest($2::text[]), unnest($3::int2[]), unnest($4::uuid[]),
       unnest($5::timestamptz[])
on conflict (gateway, event_id) do nothing
returning gateway, event_id)sql"};

const sql save_disputes{"journal_save_disputes", R"sql(
insert into payment_dispute (id, payment_id, shard_id, merchant_id, ordinal, status, amount,
                             reserved, opened_at, closed_at)
select unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::int2[]), unnest($4::uuid[]),
       unnest($5::int4[]), unnest($6::int2[]), unnest($7::int8[]), unnest($8::int8[]),
       unnest($9::timestamptz[]), unnest($10::timestamptz[])
on conflict (id) do update set status = excluded.status, closed_at = excluded.closed_at)sql"};

void webhook_columns::add(shard_number shard, const webhook_claim& claim) {
  gateways_.add(claim.gateway);
  event_ids_.add(claim.event_id);
  shards_.add(number_of(shard));
  subjects_.add(claim.subject);
  received_.add(claim.received_at);
}

void webhook_columns::take_into(std::vector<transaction::step>& steps) {
  if (gateways_.size() == 0)
    return;
  steps.push_back(
    {transaction::step_kind::webhooks, &claim_webhooks,
     parameters::of(std::move(gateways_), std::move(event_ids_), std::move(shards_),
                    std::move(subjects_), std::move(received_))});
}

void dispute_columns::add(shard_number shard, const payment& of, const dispute& subject) {
  ids_.add(subject.id.value);
  payments_.add(of.id.value);
  shards_.add(number_of(shard));
  merchants_.add(of.merchant.value);
  ordinals_.add(static_cast<std::int32_t>(subject.ordinal));
  statuses_.add(persisted(subject.status));
  amounts_.add(subject.amount.value());
  reserved_.add(subject.reserved.value());
  opened_.add(subject.opened_at);
  closed_.add_optional(subject.closed_at);
}

void dispute_columns::take_into(std::vector<transaction::step>& steps) {
  if (ids_.size() == 0)
    return;
  steps.push_back(
    {transaction::step_kind::rows, &save_disputes,
     parameters::of(std::move(ids_), std::move(payments_), std::move(shards_),
                    std::move(merchants_), std::move(ordinals_), std::move(statuses_),
                    std::move(amounts_), std::move(reserved_), std::move(opened_),
                    std::move(closed_))});
}

} // namespace holdfast::storage
