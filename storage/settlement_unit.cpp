#include "storage/settlement_unit.hpp"

#include "storage/chain.hpp"

namespace holdfast::storage {

namespace {

#define HF_FOLLOW(scope)                                                                          \
  "update payment p set settlement_status = x.status from ("                                      \
  " select o.payment_id,"                                                                         \
  "  (case when bool_or(o.settlement_status = 3) then 3 else min(o.settlement_status) end)::int2" \
  "  as status"                                                                                   \
  " from payment_operation o where o.kind = 1 and o.status = 2 and o.payment_id " scope           \
  " group by o.payment_id) x"                                                                     \
  " where p.id = x.payment_id and p.settlement_status <> x.status"

constexpr sql follow_batches_sql{
  "settlement_follow_batches",
  HF_FOLLOW(
    "in (select i.payment_id from payment_operation i where i.batch_id = any($1::uuid[]))")};

constexpr sql follow_payments_sql{"settlement_follow_payments", HF_FOLLOW("= any($1::uuid[])")};

constexpr sql insert_exceptions_sql{"settlement_insert_exceptions", R"sql(
insert into recon_exception (id, shard_id, kind, merchant_id, payment_id, operation_id, batch_id,
                             file_id, currency, expected_amount, reported_amount, raw_line, detail,
                             opened_at)
select u.id, $1, u.kind, u.merchant_id, u.payment_id, u.operation_id, u.batch_id, $2, u.currency,
       u.expected_amount, u.reported_amount, u.raw_line, u.detail, $3
  from unnest($4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[],
              $11::int8[], $12::int8[], $13::text[], $14::text[])
         as u(id, kind, merchant_id, payment_id, operation_id, batch_id, currency, expected_amount,
              reported_amount, raw_line, detail))sql"};

constexpr sql insert_answer{"settlement_insert_answer",
                            "insert into settlement_answer (file_id, kind, content, sha256,"
                            " received_at) values ($1, $2, $3, $4, $5)"};

constexpr sql advance_file_sql{"settlement_advance_file",
                               "update settlement_file set status = $3, tries = 0,"
                               " next_try_at = $4, updated_at = $5"
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

expected<void> follow_batches(unit_scope& scope, const std::vector<uuid>& batches) {
  const auto done = run_sql(scope, follow_batches_sql, parameters::of(to_array(batches)));
  if (!done)
    return done.error();
  return {};
}

expected<void> follow_payments(unit_scope& scope, const std::vector<uuid>& payments) {
  const auto done = run_sql(scope, follow_payments_sql, parameters::of(to_array(payments)));
  if (!done)
    return done.error();
  return {};
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

expected<void> insert_exceptions(unit_scope& scope, const file_id& file,
                                 const std::vector<new_exception>& exceptions, timestamp now,
                                 id_source& ids) {
  if (exceptions.empty())
    return {};
  array_of<uuid> new_ids, merchants, payments, operations, batches;
  array_of<std::string_view> kinds, currencies, raw_lines, details;
  array_of<std::int64_t> expected_amounts, reported_amounts;
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
  }
  const auto done = run_sql(
    scope, insert_exceptions_sql,
    parameters::of(scope.shard, file, now, std::move(new_ids), std::move(kinds),
                   std::move(merchants), std::move(payments), std::move(operations),
                   std::move(batches), std::move(currencies), std::move(expected_amounts),
                   std::move(reported_amounts), std::move(raw_lines), std::move(details)));
  if (!done)
    return done.error();
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
