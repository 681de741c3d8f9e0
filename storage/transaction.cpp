#include "storage/transaction.hpp"

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "storage/log_columns.hpp"
#include "storage/notice_columns.hpp"
#include "storage/payment_columns.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

namespace holdfast::storage {

namespace {

// -- the statements, in the order in which a transaction sends them ---------------------------

/// The fence is the write: a shard that is not hit is not ours any more. Rows are locked in
/// shard order first, so that an owner and its successor can't deadlock.
constexpr sql advance_shards{"journal_fence", R"sql(
with ours as materialized (
  select s.shard_id, u.new_seq, u.chain
    from unnest($1::int2[], $2::int8[], $3::int8[], $4::int8[], $5::bytea[])
           as u(shard_id, epoch, old_seq, new_seq, chain)
    join shard s on s.shard_id = u.shard_id and s.epoch = u.epoch and s.last_seq = u.old_seq
   order by s.shard_id
     for update of s)
update shard s set last_seq = ours.new_seq, chain = ours.chain
  from ours where s.shard_id = ours.shard_id
returning s.shard_id)sql"};

/// Most keys are new, and have no answer yet.
constexpr sql claim_new_keys{"journal_claim_new_keys", R"sql(
insert into idempotency_key (merchant_id, key, shard_id, fingerprint, subject)
select unnest($1::uuid[]), unnest($2::text[]), unnest($3::int2[]), unnest($4::bytea[]),
       unnest($5::uuid[]))sql"};

/// A claim that returns no row names a key that exists. An expired one counts as gone, swept or
/// not; but never one without an answer.
constexpr sql claim_keys{"journal_claim_keys", R"sql(
insert into idempotency_key as k (merchant_id, key, shard_id, fingerprint, subject,
                                  status, content_type, body, location)
select unnest($1::uuid[]), unnest($2::text[]), unnest($3::int2[]), unnest($4::bytea[]),
       unnest($5::uuid[]), unnest($6::int2[]), unnest($7::text[]), unnest($8::bytea[]),
       unnest($9::text[])
on conflict (merchant_id, key) do update
   set shard_id = excluded.shard_id, fingerprint = excluded.fingerprint,
       subject = excluded.subject, status = excluded.status,
       content_type = excluded.content_type, body = excluded.body,
       location = excluded.location, created_at = excluded.created_at,
       last_used_at = excluded.last_used_at
 where k.status is not null
   and k.last_used_at < clock_timestamp() - $10::int8 * interval '1 millisecond'
returning merchant_id, key)sql"};

constexpr sql save_operations{"journal_save_operations", R"sql(
insert into payment_operation (id, payment_id, shard_id, merchant_id, acquirer, currency, kind,
                               status, ordinal, amount, gateway_reference, created_at, succeeded_at)
select unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::int2[]), unnest($4::uuid[]),
       unnest($5::text[]), unnest($6::text[]), unnest($7::int2[]), unnest($8::int2[]),
       unnest($9::int4[]), unnest($10::int8[]), unnest($11::text[]), unnest($12::timestamptz[]),
       unnest($13::timestamptz[])
on conflict (id) do update
   set status = excluded.status, gateway_reference = excluded.gateway_reference,
       succeeded_at = excluded.succeeded_at)sql"};

/// last_used_at is indexed, so it changes only for an answer that was long in coming: then as
/// ever a new version of the row needs no new index entries. The limit is for the planner, as
/// that of change_payments is.
constexpr sql answer_keys{"journal_answer_keys", R"sql(
update idempotency_key k
   set status = u.status, content_type = u.content_type, body = u.body, location = u.location,
       last_used_at = case when k.last_used_at < clock_timestamp() - $7::int8 * interval '1 millisecond'
                           then clock_timestamp() else k.last_used_at end
  from (select unnest($1::uuid[]) as merchant_id, unnest($2::text[]) as key,
               unnest($3::int2[]) as status, unnest($4::text[]) as content_type,
               unnest($5::bytea[]) as body, unnest($6::text[]) as location
         limit $8) u
 where k.merchant_id = u.merchant_id and k.key = u.key)sql"};

/// One that is known by its fingerprint stays as it is.
constexpr sql add_exceptions{"journal_add_exceptions", R"sql(
insert into recon_exception (id, shard_id, kind, merchant_id, payment_id, operation_id, batch_id,
                             currency, expected_amount, reported_amount, raw_line, detail,
                             opened_at, fingerprint, source, external_ref)
select unnest($1::uuid[]), unnest($2::int2[]), unnest($3::text[]), unnest($4::uuid[]),
       unnest($5::uuid[]), unnest($6::uuid[]), unnest($7::uuid[]), unnest($8::text[]),
       unnest($9::int8[]), unnest($10::int8[]), unnest($11::text[]), unnest($12::text[]),
       unnest($13::timestamptz[]), unnest($14::text[]), unnest($15::text[]), unnest($16::text[])
on conflict (fingerprint) do nothing)sql"};

constexpr std::array<const sql*, 12> all_statements{
  &advance_shards,     &claim_new_keys,  &claim_keys,      &claim_webhooks,
  &add_payments,       &change_payments, &save_operations, &append_log_events,
  &append_log_entries, &answer_keys,     &add_exceptions,  &save_disputes};

using step = transaction::step;
using step_kind = transaction::step_kind;

byte_view bytes_of(const fingerprint& print) {
  return {{reinterpret_cast<const char*>(print.data()), print.size()}};
}

// -- the columns of each statement ------------------------------------------------------------

class fence_columns {
public:
  void add(shard_number shard, const shard_head& before, const shard_head& after) {
    shards_.add(number_of(shard));
    epochs_.add(before.epoch.value);
    old_seqs_.add(before.last_seq.value);
    new_seqs_.add(after.last_seq.value);
    chains_.add(byte_view{after.chain});
  }

  step take() {
    return {step_kind::fence, &advance_shards,
            parameters::of(std::move(shards_), std::move(epochs_), std::move(old_seqs_),
                           std::move(new_seqs_), std::move(chains_))};
  }

private:
  array_of<std::int16_t> shards_;
  array_of<std::int64_t> epochs_, old_seqs_, new_seqs_;
  array_of<byte_view> chains_;
};

class claim_columns {
public:
  /// Null: the answer is not known yet.
  void add(shard_number shard, const key_claim& claim, const key_answer* answer) {
    merchants_.add(claim.merchant.value);
    keys_.add(claim.key);
    shards_.add(number_of(shard));
    fingerprints_.add(bytes_of(claim.request));
    subjects_.add(claim.subject);
    has_answers_ = has_answers_ || answer != nullptr;
    if (answer != nullptr) {
      statuses_.add(static_cast<std::int16_t>(answer->answer.status));
      content_types_.add(answer->answer.content_type);
      bodies_.add(byte_view{answer->answer.body});
      locations_.add(answer->answer.location);
    } else {
      statuses_.add_null();
      content_types_.add_null();
      bodies_.add_null();
      locations_.add_null();
    }
  }

  void take_into(std::vector<step>& steps, transaction::claiming how) {
    if (keys_.size() == 0)
      return;
    auto values = parameters::of(std::move(merchants_), std::move(keys_), std::move(shards_),
                                 std::move(fingerprints_), std::move(subjects_));
    if (how == transaction::claiming::blind && !has_answers_) {
      steps.push_back({step_kind::blind_claims, &claim_new_keys, std::move(values)});
      return;
    }
    values.add(std::move(statuses_));
    values.add(std::move(content_types_));
    values.add(std::move(bodies_));
    values.add(std::move(locations_));
    values.add(limits::idempotency_key_expired_ms);
    steps.push_back({step_kind::claims, &claim_keys, std::move(values)});
  }

private:
  array_of<uuid> merchants_, subjects_;
  array_of<std::string_view> keys_, content_types_, locations_;
  array_of<std::int16_t> shards_, statuses_;
  array_of<byte_view> fingerprints_, bodies_;
  bool has_answers_ = false;
};

class operation_columns {
public:
  void add(shard_number shard, const payment& of, const operation& asked) {
    ids_.add(asked.id);
    payments_.add(of.id.value);
    shards_.add(number_of(shard));
    merchants_.add(of.merchant.value);
    acquirers_.add(of.acquirer);
    currencies_.add(of.unit.code());
    kinds_.add(persisted(asked.kind));
    statuses_.add(persisted(asked.status));
    ordinals_.add(static_cast<std::int32_t>(asked.ordinal));
    amounts_.add(asked.amount.value());
    references_.add(asked.gateway_reference);
    created_.add(asked.created_at);
    if (asked.status == operation_status::succeeded)
      succeeded_.add(of.updated_at);
    else
      succeeded_.add_null();
  }

  void take_into(std::vector<step>& steps) {
    if (ids_.size() == 0)
      return;
    steps.push_back(
      {step_kind::rows, &save_operations,
       parameters::of(std::move(ids_), std::move(payments_), std::move(shards_),
                      std::move(merchants_), std::move(acquirers_), std::move(currencies_),
                      std::move(kinds_), std::move(statuses_), std::move(ordinals_),
                      std::move(amounts_), std::move(references_), std::move(created_),
                      std::move(succeeded_))});
  }

private:
  array_of<uuid> ids_, payments_, merchants_;
  array_of<std::int16_t> shards_, kinds_, statuses_;
  array_of<std::int32_t> ordinals_;
  array_of<std::int64_t> amounts_;
  array_of<std::string_view> acquirers_, currencies_, references_;
  array_of<timestamp> created_, succeeded_;
};

class answer_columns {
public:
  void add(const key_answer& answer) {
    merchants_.add(answer.merchant.value);
    keys_.add(answer.key);
    statuses_.add(static_cast<std::int16_t>(answer.answer.status));
    content_types_.add(answer.answer.content_type);
    bodies_.add(byte_view{answer.answer.body});
    locations_.add(answer.answer.location);
  }

  void take_into(std::vector<step>& steps) {
    const auto rows = static_cast<std::int64_t>(keys_.size());
    if (rows == 0)
      return;
    steps.push_back(
      {step_kind::rows, &answer_keys,
       parameters::of(std::move(merchants_), std::move(keys_), std::move(statuses_),
                      std::move(content_types_), std::move(bodies_), std::move(locations_),
                      limits::idempotency_touch_ms, rows)});
  }

private:
  array_of<uuid> merchants_;
  array_of<std::string_view> keys_, content_types_, locations_;
  array_of<std::int16_t> statuses_;
  array_of<byte_view> bodies_;
};

class exception_columns {
public:
  void add(shard_number shard, const opened_exception& opened) {
    const auto& what = opened.what;
    ids_.add(opened.id.value);
    shards_.add(number_of(shard));
    kinds_.add(what.kind);
    merchants_.add(what.merchant.value);
    add_id(payments_, what.payment);
    operations_.add_optional(what.operation);
    add_id(batches_, what.batch);
    currencies_.add(what.unit.code());
    expected_.add(what.expected_amount.value());
    reported_.add(what.reported_amount.value());
    raw_lines_.add(what.raw_line);
    details_.add(what.detail);
    opened_.add(opened.opened_at);
    if (what.fingerprint.empty())
      fingerprints_.add_null();
    else
      fingerprints_.add(what.fingerprint);
    sources_.add(what.source);
    external_refs_.add(what.external_ref);
  }

  void take_into(std::vector<step>& steps) {
    if (ids_.size() == 0)
      return;
    steps.push_back(
      {step_kind::rows, &add_exceptions,
       parameters::of(std::move(ids_), std::move(shards_), std::move(kinds_),
                      std::move(merchants_), std::move(payments_), std::move(operations_),
                      std::move(batches_), std::move(currencies_), std::move(expected_),
                      std::move(reported_), std::move(raw_lines_), std::move(details_),
                      std::move(opened_), std::move(fingerprints_), std::move(sources_),
                      std::move(external_refs_))});
  }

private:
  template <class Id>
  static void add_id(array_of<uuid>& column, const std::optional<Id>& id) {
    if (id)
      column.add(id->value);
    else
      column.add_null();
  }

  array_of<uuid> ids_, merchants_, payments_, operations_, batches_;
  array_of<std::int16_t> shards_;
  array_of<std::string_view> kinds_, currencies_, raw_lines_, details_, fingerprints_, sources_,
    external_refs_;
  array_of<std::int64_t> expected_, reported_;
  array_of<timestamp> opened_;
};

// -- merging ----------------------------------------------------------------------------------

/// Rows by their keys.
template <class Key, class Row>
class keyed_rows {
public:
  void add(const Key& key, const Row& row) { rows_.push_back({key, row}); }

  /// Visits the keys in their order, each with the first and the last row that were added.
  template <class Visit>
  void visit(Visit visit) {
    std::ranges::stable_sort(rows_, {}, &keyed::key);
    for (auto first = rows_.begin(); first != rows_.end();) {
      const auto end = std::ranges::find_if(
        first, rows_.end(), [&](const Key& key) { return key != first->key; }, &keyed::key);
      visit(first->row, std::prev(end)->row);
      first = end;
    }
  }

private:
  struct keyed {
    Key key;
    Row row;
  };
  std::vector<keyed> rows_;
};

/// Gathers the rows of all writes. Where several writes change one row, the last one wins, for
/// it knows of those before; PostgreSQL refuses to hit a row twice in one statement.
class merge {
public:
  void add(const queued_write& queued, sequence_number last_seq) {
    const auto& write = queued.write;
    if (write.claim)
      claims_.add(write.shard, *write.claim, own_answer(write) ? &*write.answer : nullptr);
    if (write.answer && !own_answer(write))
      answers_.add({write.answer->merchant, write.answer->key}, &*write.answer);
    if (write.webhook)
      webhooks_.add(write.shard, *write.webhook);
    for (const auto& opened : write.exceptions)
      exceptions_.add(write.shard, opened);
    if (!write.snapshot)
      return;
    payments_.add(write.snapshot->id.value, {&queued, last_seq});
    for (const auto& changed : write.changed_disputes)
      disputes_.add(changed.id.value, {&write, &changed});
    for (const auto& changed : write.changed_operations)
      if (!changed.id.is_nil()) // A void is told by the payment's detail alone.
        operations_.add(changed.id, {&write, &changed});
  }

  void take_into(std::vector<step>& steps, log_columns& log, transaction::claiming how) {
    claims_.take_into(steps, how);
    webhooks_.take_into(steps);
    take_payments_into(steps);
    operation_columns operations;
    operations_.visit([&](const saved_operation&, const saved_operation& last) {
      operations.add(last.write->shard, *last.write->snapshot, *last.changed);
    });
    operations.take_into(steps);
    dispute_columns disputes;
    disputes_.visit([&](const saved_dispute&, const saved_dispute& last) {
      disputes.add(last.write->shard, *last.write->snapshot, *last.changed);
    });
    disputes.take_into(steps);
    log.take_into(steps);
    answer_columns answers;
    answers_.visit([&](const key_answer*, const key_answer* last) { answers.add(*last); });
    answers.take_into(steps);
    exceptions_.take_into(steps);
  }

private:
  struct snapshot_of {
    const queued_write* queued = nullptr;
    sequence_number last_seq;
  };
  struct saved_operation {
    const journal_write* write = nullptr;
    const operation* changed = nullptr;
  };
  struct saved_dispute {
    const journal_write* write = nullptr;
    const dispute* changed = nullptr;
  };

  static bool own_answer(const journal_write& write) {
    return write.claim && write.answer && write.claim->merchant == write.answer->merchant
           && write.claim->key == write.answer->key;
  }

  static bool is_creation(const journal_write& write) {
    return std::ranges::any_of(write.events, [&write](const event_record& event) {
      return event.type == event_type::payment_created
             && event.subject == write.snapshot->id.value;
    });
  }

  /// The write that creates a payment is the first that knows of it.
  void take_payments_into(std::vector<step>& steps) {
    added_payments added;
    changed_payments changed;
    payments_.visit([&](const snapshot_of& first, const snapshot_of& last) {
      const auto& write = last.queued->write;
      const saved_payment saved{write.shard, &*write.snapshot, last.queued->detail,
                                last.last_seq};
      is_creation(first.queued->write) ? added.add(saved) : changed.add(saved);
    });
    added.take_into(steps);
    changed.take_into(steps);
  }

  claim_columns claims_;
  webhook_columns webhooks_;
  exception_columns exceptions_;
  keyed_rows<uuid, snapshot_of> payments_;
  keyed_rows<uuid, saved_operation> operations_;
  keyed_rows<uuid, saved_dispute> disputes_;
  keyed_rows<std::pair<merchant_id, std::string_view>, const key_answer*> answers_;
};

/// Their places, shard by shard and else in their order.
std::vector<std::size_t> by_shard(std::span<queued_write* const> writes) {
  std::vector<std::size_t> places(writes.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::stable_sort(places, {},
                           [writes](std::size_t place) { return writes[place]->write.shard; });
  return places;
}

} // namespace

queued_write encoded(journal_write write, write_callback done) {
  auto detail = write.snapshot ? encode_detail(*write.snapshot) : std::string{};
  return {.write = std::move(write), .done = std::move(done), .detail = std::move(detail)};
}

transaction transaction::of_writes(std::span<queued_write* const> writes,
                                   const shard_heads& heads, claiming how) {
  transaction made;
  made.last_seqs_.resize(writes.size());
  fence_columns fence;
  log_columns log;
  merge rows;
  std::vector<const event_record*> events; // of one shard
  const auto places = by_shard(writes);
  for (auto next = places.begin(); next != places.end();) {
    const auto shard = writes[*next]->write.shard;
    const auto& before = heads.at(shard);
    events.clear();
    for (; next != places.end() && writes[*next]->write.shard == shard; ++next) {
      const auto& write = writes[*next]->write;
      for (const auto& event : write.events)
        events.push_back(&event);
      auto& last_seq = made.last_seqs_[*next];
      last_seq.value = before.last_seq.value + static_cast<std::int64_t>(events.size());
      rows.add(*writes[*next], last_seq);
      if (write.claim)
        made.claims_.push_back(&*write.claim);
      if (write.webhook)
        made.webhooks_.push_back(&*write.webhook);
    }
    auto head = before;
    log.append(shard, head, events);
    fence.add(shard, before, head);
    made.note(shard, std::move(head), events.size());
  }
  made.steps_.push_back(fence.take());
  rows.take_into(made.steps_, log, how);
  return made;
}

transaction transaction::of_events(shard_number shard, const shard_head& head,
                                   std::span<const event_record> events) {
  transaction made;
  auto after = head;
  std::vector<const event_record*> all;
  for (const auto& event : events)
    all.push_back(&event);
  log_columns log;
  log.append(shard, after, all);
  fence_columns fence;
  fence.add(shard, head, after);
  made.steps_.push_back(fence.take());
  log.take_into(made.steps_);
  made.note(shard, std::move(after), events.size());
  return made;
}

void transaction::note(shard_number shard, shard_head after, std::size_t events) {
  after_.emplace_hint(after_.end(), shard, std::move(after));
  events_ += events;
  if (events != 0 && !proving_)
    proving_ = shard;
}

std::optional<std::pair<shard_number, shard_head>> transaction::proof() const {
  if (!proving_)
    return std::nullopt;
  return std::pair{*proving_, after_.at(*proving_)};
}

std::span<const sql* const> journal_statements() noexcept {
  return all_statements;
}

} // namespace holdfast::storage
