#include "storage/log_columns.hpp"

#include <algorithm>

namespace holdfast::storage {

// An unnest for each column, in the select list: a single one of many arrays in the from clause
// would put every value by first, which costs more than some inserts do.

const sql append_log_events{"journal_append_events", R"sql(
insert into event (shard_id, seq, type, merchant_id, subject, at, payload, chain)
select unnest($1::int2[]), unnest($2::int8[]), unnest($3::int2[]), unnest($4::uuid[]),
       unnest($5::uuid[]), unnest($6::timestamptz[]), unnest($7::bytea[]),
       unnest($8::bytea[]))sql"};

/// Every account is touched once, by the sum of what the transaction moves; `change` says how
/// far an entry's balance lies from the final one.
const sql append_log_entries{"journal_append_entries", R"sql(
with touched as (
  insert into account as a (id, shard_id, kind, owner, currency, balance)
  select unnest($1::uuid[]), unnest($2::int2[]), unnest($3::int2[]), unnest($4::text[]),
         unnest($5::text[]), unnest($6::int8[])
  on conflict (id) do update set balance = a.balance + excluded.balance
  returning a.id, a.currency, a.balance)
insert into ledger_entry (shard_id, seq, leg, posting, account_id, kind, subject, ordinal, amount,
                          currency, balance_after, effective_date, external_ref, created_at)
select e.shard_id, e.seq, e.leg, e.posting, e.account_id, e.kind, e.subject, e.ordinal, e.amount,
       t.currency, t.balance + e.change, (e.at at time zone 'UTC')::date, e.external_ref, e.at
  from (select unnest($7::int2[]) as shard_id, unnest($8::int8[]) as seq,
               unnest($9::int4[]) as leg, unnest($10::int4[]) as posting,
               unnest($11::uuid[]) as account_id, unnest($12::int2[]) as kind,
               unnest($13::uuid[]) as subject, unnest($14::int4[]) as ordinal,
               unnest($15::int8[]) as amount, unnest($16::int8[]) as change,
               unnest($17::text[]) as external_ref, unnest($18::timestamptz[]) as at) e
  join touched t on t.id = e.account_id)sql"};

void log_columns::append(shard_number shard, shard_head& head,
                         std::span<const event_record* const> events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& event = *events[i];
    ++head.last_seq.value;
    link_.begin(shard, head.last_seq, event.type, event.merchant.value, event.subject, event.at,
                event.payload);
    append_legs(shard, head.last_seq, event);
    link_.advance(head.chain);
    shards_.add(number_of(shard));
    seqs_.add(head.last_seq.value);
    types_.add(persisted(event.type));
    merchants_.add(event.merchant.value);
    subjects_.add(event.subject);
    times_.add(event.at);
    payloads_.add(byte_view{event.payload});
    if (i + 1 == events.size())
      chains_.add(byte_view{head.chain});
    else
      chains_.add_null();
  }
}

void log_columns::take_into(std::vector<transaction::step>& steps) {
  if (seqs_.size() == 0)
    return;
  steps.push_back(
    {transaction::step_kind::rows, &append_log_events,
     parameters::of(std::move(shards_), std::move(seqs_), std::move(types_),
                    std::move(merchants_), std::move(subjects_), std::move(times_),
                    std::move(payloads_), std::move(chains_))});
  if (legs_.empty())
    return;
  parameters values;
  add_accounts(values);
  add_entries(values);
  steps.push_back({transaction::step_kind::rows, &append_log_entries, std::move(values)});
}

void log_columns::append_legs(shard_number shard, sequence_number seq,
                              const event_record& event) {
  std::int32_t leg_number = 0;
  for (const auto& posting : event.postings) {
    const auto first = leg_number;
    for (const auto& leg : posting.legs) {
      const auto index = touch(shard, leg.where);
      auto& touched = accounts_[index];
      touched.change += leg.amount;
      link_.add_leg(first, posting.kind, posting.subject, posting.ordinal, touched.id,
                    leg.amount, posting.external_ref);
      legs_.push_back({shard, seq, leg_number++, first, index, &posting, leg.amount,
                       touched.change, event.at});
    }
  }
}

std::size_t log_columns::touch(shard_number shard, const account& which) {
  const auto id = account_id(shard, which);
  const auto [place, is_new] = index_.try_emplace(id, accounts_.size());
  if (is_new)
    accounts_.push_back({shard, &which, id, {}});
  return place->second;
}

void log_columns::add_accounts(parameters& values) const {
  // In the order of their ids, so that two writers can't deadlock.
  std::vector<const touched_account*> ordered;
  for (const auto& touched : accounts_)
    ordered.push_back(&touched);
  std::ranges::sort(ordered, {}, &touched_account::id);
  array_of<uuid> ids;
  array_of<std::int16_t> shards, kinds;
  array_of<std::string_view> owners, currencies;
  array_of<std::int64_t> changes;
  for (const auto* touched : ordered) {
    ids.add(touched->id);
    shards.add(number_of(touched->shard));
    kinds.add(persisted(touched->which->kind));
    owners.add(touched->which->owner);
    currencies.add(touched->which->unit.code());
    changes.add(touched->change.value());
  }
  values.add(std::move(ids));
  values.add(std::move(shards));
  values.add(std::move(kinds));
  values.add(std::move(owners));
  values.add(std::move(currencies));
  values.add(std::move(changes));
}

void log_columns::add_entries(parameters& values) const {
  array_of<std::int16_t> shards, kinds;
  array_of<std::int64_t> seqs, amounts, changes;
  array_of<std::int32_t> legs, postings, ordinals;
  array_of<uuid> accounts, subjects;
  array_of<std::string_view> references;
  array_of<timestamp> times;
  for (const auto& one : legs_) {
    const auto& touched = accounts_[one.account];
    shards.add(number_of(one.shard));
    seqs.add(one.seq.value);
    legs.add(one.leg);
    postings.add(one.posting);
    accounts.add(touched.id);
    kinds.add(persisted(one.of->kind));
    subjects.add(one.of->subject);
    ordinals.add(static_cast<std::int32_t>(one.of->ordinal));
    amounts.add(one.amount.value());
    changes.add((one.change - touched.change).value());
    references.add(one.of->external_ref);
    times.add(one.at);
  }
  values.add(std::move(shards));
  values.add(std::move(seqs));
  values.add(std::move(legs));
  values.add(std::move(postings));
  values.add(std::move(accounts));
  values.add(std::move(kinds));
  values.add(std::move(subjects));
  values.add(std::move(ordinals));
  values.add(std::move(amounts));
  values.add(std::move(changes));
  values.add(std::move(references));
  values.add(std::move(times));
}

} // namespace holdfast::storage
