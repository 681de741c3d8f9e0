#include "storage/settlement_unit.hpp"

#include "messages/codec.hpp"
#include "messages/digest.hpp"

namespace holdfast::storage {

namespace {

/// One that was resolved by trying again, and in vain, is opened anew; any other that is known
/// is left as it is.
constexpr sql insert_exceptions_sql{"settlement_insert_exceptions", R"sql(
insert into recon_exception as x (id, shard_id, kind, merchant_id, payment_id, operation_id, batch_id,
                                  file_id, currency, expected_amount, reported_amount, raw_line,
                                  detail, opened_at, fingerprint, source, external_ref,
                                  posted_currency, posted_amount)
select u.id, $1, u.kind, u.merchant_id, u.payment_id, u.operation_id, u.batch_id, $2, u.currency,
       u.expected_amount, u.reported_amount, u.raw_line, u.detail, $3, nullif(u.fingerprint, ''),
       u.source, u.external_ref, u.posted_currency, u.posted_amount
  from unnest($4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[],
              $11::int8[], $12::int8[], $13::text[], $14::text[], $15::text[], $16::text[],
              $17::text[], $18::text[], $19::int8[])
         as u(id, kind, merchant_id, payment_id, operation_id, batch_id, currency, expected_amount,
              reported_amount, raw_line, detail, fingerprint, source, external_ref, posted_currency,
              posted_amount)
    on conflict (fingerprint) do update
   set status = 1, resolution = '', resolved_by = '', resolved_at = null,
       opened_at = excluded.opened_at, raw_line = excluded.raw_line, detail = excluded.detail,
       reported_amount = excluded.reported_amount
 where x.status = 2 and x.resolution = 'retry'
returning x.id, x.kind, x.merchant_id)sql"};

/// What a person was told of the acquirer's silence or nonsense is over by itself.
constexpr sql close_exceptions_sql{"settlement_close_exceptions", R"sql(
update recon_exception x
   set status = 2, resolved_at = $2, resolution = 'answered', resolved_by = 'holdfast',
       note = case x.note when '' then $3 else x.note || E'\n' || $3 end
 where x.file_id = $1 and x.status = 1 and x.kind in ('acquirer_silent', 'report_malformed')
returning x.id, x.kind, x.merchant_id)sql"};

constexpr sql insert_answer{"settlement_insert_answer",
                            "insert into settlement_answer (file_id, kind, content, sha256,"
                            " received_at) values ($1, $2, $3, $4, $5)"
                            " on conflict (file_id, kind, sha256) do nothing"};

constexpr sql advance_file_sql{"settlement_advance_file",
                               "update settlement_file set status = $3, tries = 0,"
                               " next_try_at = $4, updated_at = $5, status_since = $5"
                               " where id = $1 and status = any($2::int2[])"};

} // namespace

uuid id_source::next() noexcept {
  // SplitMix64.
  state_ += 0x9e3779b97f4a7c15U;
  auto mixed = state_;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
  return make_uuid(now_, shard_, mixed ^ mixed >> 31);
}

steady_time settlement_deadline() {
  return std::chrono::steady_clock::now() + limits::settlement_statement_time_max;
}

expected<result> run_sql(unit_scope& scope, const sql& what, const parameters& values) {
  return scope.db.query(what, values, settlement_deadline());
}

void append_with_postings(unit_scope& scope, event_record event, std::vector<posting> postings,
                          const std::string& more) {
  auto next = event;
  next.payload = more;
  std::size_t legs = 0;
  for (auto& entry : postings) {
    if (legs > 0 && legs + entry.legs.size() > limits::event_legs_max) {
      scope.events.push_back(std::exchange(event, next));
      legs = 0;
    }
    legs += entry.legs.size();
    event.postings.push_back(std::move(entry));
  }
  scope.events.push_back(std::move(event));
}

namespace {

known_exception read_known(row& from) {
  known_exception known;
  known.id.value = from.id();
  known.kind = from.text();
  known.merchant.value = from.id();
  return known;
}

} // namespace

expected<std::vector<known_exception>> insert_exceptions(
  unit_scope& scope, const std::optional<file_id>& file,
  const std::vector<new_exception>& exceptions, timestamp now, id_source& ids) {
  if (exceptions.empty())
    return std::vector<known_exception>{};
  array_of<uuid> new_ids, merchants, payments, operations, batches;
  array_of<std::string_view> kinds, currencies, raw_lines, details;
  array_of<std::string_view> fingerprints, sources, references, posted_currencies;
  array_of<std::int64_t> expected_amounts, reported_amounts, posted_amounts;
  const auto add = [](array_of<uuid>& column, const auto& id) {
    if (id)
      column.add(id->value);
    else
      column.add_null();
  };
  for (const auto& one : exceptions) {
    new_ids.add(ids.next());
    kinds.add(one.kind);
    merchants.add(one.merchant.value);
    add(payments, one.payment);
    operations.add_optional(one.operation);
    add(batches, one.batch);
    currencies.add(one.unit.code());
    expected_amounts.add(one.expected_amount.value());
    reported_amounts.add(one.reported_amount.value());
    raw_lines.add(one.raw_line);
    details.add(one.detail);
    fingerprints.add(one.fingerprint);
    sources.add(one.source);
    references.add(one.external_ref);
    posted_currencies.add(one.posted_unit.code());
    posted_amounts.add(one.posted_amount.value());
  }
  const auto done = run_sql(
    scope, insert_exceptions_sql,
    parameters::of(scope.shard, file, now, std::move(new_ids), std::move(kinds),
                   std::move(merchants), std::move(payments), std::move(operations),
                   std::move(batches), std::move(currencies), std::move(expected_amounts),
                   std::move(reported_amounts), std::move(raw_lines), std::move(details),
                   std::move(fingerprints), std::move(sources), std::move(references),
                   std::move(posted_currencies), std::move(posted_amounts)));
  if (!done)
    return done.error();
  return read_all<known_exception>(*done, read_known);
}

expected<std::uint32_t> raise_exceptions(unit_scope& scope, const std::optional<file_id>& file,
                                         const std::vector<new_exception>& exceptions,
                                         timestamp now, id_source& ids) {
  const auto opened = insert_exceptions(scope, file, exceptions, now, ids);
  if (!opened)
    return opened.error();
  for (const auto& one : *opened)
    scope.events.push_back({event_type::exception_opened,
                            one.merchant,
                            one.id.value,
                            now,
                            encode(settlement_event{exception_opened{one.id, one.kind}}),
                            {}});
  return static_cast<std::uint32_t>(opened->size());
}

expected<void> close_exceptions(unit_scope& scope, const file_id& file, const std::string& note,
                                timestamp now) {
  const auto done = run_sql(scope, close_exceptions_sql, parameters::of(file, now, note));
  if (!done)
    return done.error();
  const auto closed = read_all<known_exception>(*done, read_known);
  if (!closed)
    return closed.error();
  for (const auto& one : *closed) {
    const exception_resolved event{one.id, one.kind, "answered", note, "holdfast"};
    scope.events.push_back({event_type::exception_resolved,
                            one.merchant,
                            one.id.value,
                            now,
                            encode(settlement_event{event}),
                            {}});
  }
  return {};
}

expected<void> keep_answer(unit_scope& scope, const file_id& file, answer_kind kind,
                           const std::string& raw, timestamp now) {
  const auto done = run_sql(scope, insert_answer,
                            parameters::of(file, static_cast<std::int16_t>(kind),
                                           byte_view{raw}, sha256_hex(raw), now));
  if (!done)
    return done.error();
  return {};
}

expected<bool> advance_file(unit_scope& scope, const file_id& file,
                            const std::vector<file_status>& from, file_status to,
                            timestamp next_try_at, timestamp now) {
  array_of<std::int16_t> statuses;
  for (const auto status : from)
    statuses.add(static_cast<std::int16_t>(status));
  const auto done = run_sql(
    scope, advance_file_sql,
    parameters::of(file, std::move(statuses), static_cast<std::int16_t>(to), next_try_at, now));
  if (!done)
    return done.error();
  return done->affected() == 1;
}

} // namespace holdfast::storage
