// Payments, keys and everything known of one payment.
#include "messages/limits.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

/// The keys of a shard that were used since an instant, the latest first.
constexpr sql recent_keys{
  "recent_keys", "select k.merchant_id, k.key, " HF_KEY_COLUMNS
                 " from idempotency_key k where k.shard_id = $1 and k.last_used_at >= $2"
                 " order by k.last_used_at desc limit $3"};

/// Everything with a gateway's answer outstanding has a next_action_at, and so a wake_at, so
/// the sweep's index finds it: by its status, by a requested operation, or because it is due
/// anyway. First those that the sweep would find too late, whatever the limit leaves to it.
constexpr sql live_payments{
  "live_payments", "select " HF_PAYMENT_COLUMNS
                   " from payment p"
                   " where p.shard_id = $1 and p.wake_at is not null"
                   " and (p.status in (1, 2) or p.next_action_at <= clock_timestamp()"
                   "  or exists (select from payment_operation o"
                   "    where o.payment_id = p.id and o.status = 1))"
                   " order by p.wake_at <= p.next_action_at, p.next_action_at limit $2"};

constexpr sql select_due{"select_due", "select " HF_PAYMENT_COLUMNS
                                       " from payment p"
                                       " where p.shard_id = $1 and p.wake_at <= $2"
                                       " and p.next_action_at <= $2"
                                       " order by p.wake_at limit $3"};

/// With the batch of its latest capture.
#define HF_PAYMENT_VIEW                                                  \
  "select " HF_PAYMENT_COLUMNS                                           \
  ", (select o.batch_id from payment_operation o"                        \
  " where o.payment_id = p.id and o.kind = 1 and o.batch_id is not null" \
  " order by o.ordinal desc limit 1) from payment p"

constexpr sql select_payment{"select_payment", HF_PAYMENT_VIEW " where p.id = $1"};

/// Unless it has expired: see key_retention.hpp.
constexpr sql select_key{"select_key",
                         "select " HF_KEY_COLUMNS
                         " from idempotency_key k where k.merchant_id = $1 and k.key = $2"
                         " and (k.status is null or k.last_used_at"
                         "  >= clock_timestamp() - $3::int8 * interval '1 millisecond')"};

// Newest first. The filters that are off compare with null; one statement for each index that
// serves, because a plan made without the values must not choose wrongly.
constexpr sql page_of_payments{"page_of_payments", HF_PAYMENT_VIEW
                               " where p.merchant_id = $1 and ($2::uuid is null or p.id < $2)"
                               " and ($3::int2 is null or p.status = $3)"
                               " and ($4::int2 is null or " HF_SETTLEMENT_STATUS
                               " = $4)"
                               " order by p.id desc limit $5"};

constexpr sql page_of_reference{
  "page_of_reference", HF_PAYMENT_VIEW
  " where p.merchant_id = $1 and ($2::uuid is null or p.id < $2)"
  " and ($3::int2 is null or p.status = $3)"
  " and ($4::int2 is null or " HF_SETTLEMENT_STATUS
  " = $4)"
  " and p.reference = $6 and p.reference <> '' order by p.id desc limit $5"};

constexpr sql payment_of_refund{
  "payment_of_refund", "select " HF_PAYMENT_COLUMNS
                       " from payment_operation o join payment p on p.id = o.payment_id"
                       " where o.id = $1 and o.kind = 2 and o.merchant_id = $2"};

constexpr sql events_of_subject{"events_of_subject",
                                "select " HF_EVENT_COLUMNS
                                " from event e where e.subject = $1 order by e.seq"};

/// Whole postings, each found by its first leg: of the payment, and of its captures and refunds
/// where an acquirer rejected them.
constexpr sql entries_of_subject{
  "entries_of_subject",
  "select " HF_ENTRY_COLUMNS
  " from ledger_entry h"
  " join ledger_entry l on l.shard_id = h.shard_id and l.seq = h.seq and l.posting = h.posting"
  " join account a on a.id = l.account_id"
  " where h.leg = h.posting and h.subject in"
  " (select $1 union all select o.id from payment_operation o where o.payment_id = $1)"
  " order by l.seq, l.leg"};

constexpr sql items_of_payment{"items_of_payment",
                               "select " HF_ITEM_COLUMNS
                               " from payment_operation o join payment p on p.id = o.payment_id"
                               " left join batch b on b.id = o.batch_id"
                               " where o.payment_id = $1 and o.settlement_status <> 0"
                               " order by o.kind, o.ordinal"};

constexpr sql exceptions_of_payment{"exceptions_of_payment",
                                    "select " HF_EXCEPTION_COLUMNS
                                    " from recon_exception x where x.payment_id = $1"
                                    " order by x.id"};

expected<payment_view> read_payment_view(row& from) {
  auto subject = read_payment(from);
  if (!subject)
    return subject.error();
  return payment_view{std::move(*subject), from.optional_id<batch_id>()};
}

warm_key read_warm_key(row& from) {
  warm_key key;
  key.merchant.value = from.id();
  key.key = from.text();
  key.row = read_stored_key(from);
  return key;
}

/// What a public status means in columns.
struct status_filter {
  std::optional<std::int16_t> status;
  std::optional<std::int16_t> settlement;
};

expected<status_filter> to_filter(const std::string& text) {
  if (text.empty())
    return status_filter{};
  for (std::int16_t status = 1; status <= 9; ++status)
    for (std::int16_t settlement = 0; settlement <= 3; ++settlement) {
      const auto as_status = static_cast<payment_status>(status);
      if (public_status(as_status, static_cast<settlement_status>(settlement)) != text)
        continue;
      // Only captured payments show settlement's word.
      if (as_status == payment_status::captured)
        return status_filter{status, settlement};
      return status_filter{status, std::nullopt};
    }
  return make_error(errc::invalid_argument, "not a payment's status");
}

expected<shard_start> read_shard_start(connection& db, shard_number shard,
                                       timestamp keys_since) {
  const auto keys =
    db.query(recent_keys,
             parameters::of(shard, keys_since,
                            static_cast<std::int64_t>(limits::shard_keys_in_memory_max)),
             query_deadline());
  if (!keys)
    return keys.error();
  const auto live =
    db.query(live_payments,
             parameters::of(shard, static_cast<std::int64_t>(limits::shard_live_payments_max)),
             query_deadline());
  if (!live)
    return live.error();
  auto warm = read_all<warm_key>(*keys, read_warm_key);
  if (!warm)
    return warm.error();
  auto payments = read_all<payment>(*live, read_payment);
  if (!payments)
    return payments.error();
  return shard_start{std::move(*warm), std::move(*payments)};
}

template <class T, class Read>
expected<std::vector<T>> read_of_payment(connection& db, const sql& what, payment_id id,
                                         Read read) {
  const auto found = db.query(what, parameters::of(id), query_deadline());
  if (!found)
    return found.error();
  return read_all<T>(*found, read);
}

expected<std::optional<timeline_view>> read_timeline(connection& db, payment_id id) {
  using answer = std::optional<timeline_view>;
  auto subject = read_first<payment_view>(
    db.query(select_payment, parameters::of(id), query_deadline()), read_payment_view);
  if (!subject)
    return subject.error();
  if (!*subject)
    return answer{};
  auto events = read_of_payment<event_view>(db, events_of_subject, id, read_event);
  if (!events)
    return events.error();
  auto entries = read_of_payment<entry_view>(db, entries_of_subject, id, read_entry);
  if (!entries)
    return entries.error();
  auto items = read_of_payment<batch_item_view>(db, items_of_payment, id, read_item);
  if (!items)
    return items.error();
  auto exceptions =
    read_of_payment<exception_view>(db, exceptions_of_payment, id, read_exception);
  if (!exceptions)
    return exceptions.error();
  return answer{timeline_view{std::move(**subject), std::move(*events), std::move(*entries),
                              std::move(*items), std::move(*exceptions)}};
}

expected<slice<payment_view>> read_page(connection& db, merchant_id merchant,
                                        const payment_filter& filter) {
  const auto after = window_start<payment_id>(filter.window);
  if (!after)
    return after.error();
  const auto status = to_filter(filter.status);
  if (!status)
    return status.error();
  const auto limit = window_limit(filter.window);
  auto values = parameters::of(merchant, *after, status->status, status->settlement,
                               std::int64_t{limit} + 1);
  if (!filter.reference.empty())
    values.add(filter.reference);
  const auto found = db.query(filter.reference.empty() ? page_of_payments : page_of_reference,
                              values, query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<payment_view>(*found, read_payment_view), limit);
}

} // namespace

void postgres_store::start_shard(shard_number shard, timestamp keys_since,
                                 callback<shard_start> done) {
  readers_.ask(std::move(done), [shard, keys_since](connection& db) {
    return read_shard_start(db, shard, keys_since);
  });
}

void postgres_store::due_payments(shard_number shard, timestamp now, std::size_t limit,
                                  callback<std::vector<payment>> done) {
  const auto rows = static_cast<std::int64_t>(std::min(limit, limits::shard_live_payments_max));
  readers_.ask(std::move(done),
               [shard, now, rows](connection& db) -> expected<std::vector<payment>> {
                 const auto found =
                   db.query(select_due, parameters::of(shard, now, rows), query_deadline());
                 if (!found)
                   return found.error();
                 return read_all<payment>(*found, read_payment);
               });
}

void postgres_store::find_payment(payment_id id, callback<std::optional<payment_view>> done) {
  readers_.ask(std::move(done), [id](connection& db) {
    return read_first<payment_view>(
      db.query(select_payment, parameters::of(id), query_deadline()), read_payment_view);
  });
}

void postgres_store::find_key(merchant_id merchant, std::string key,
                              callback<std::optional<stored_key>> done) {
  readers_.ask(std::move(done), [merchant, key = std::move(key)](connection& db) {
    return read_first<stored_key>(
      db.query(select_key, parameters::of(merchant, key, limits::idempotency_key_expired_ms),
               query_deadline()),
      read_stored_key);
  });
}

void postgres_store::list_payments(merchant_id merchant, payment_filter filter,
                                   callback<slice<payment_view>> done) {
  readers_.ask(std::move(done), [merchant, filter = std::move(filter)](connection& db) {
    return read_page(db, merchant, filter);
  });
}

void postgres_store::find_refund(refund_id id, merchant_id merchant,
                                 callback<std::optional<refund_view>> done) {
  using answer = std::optional<refund_view>;
  readers_.ask(std::move(done), [id, merchant](connection& db) -> expected<answer> {
    const auto of = read_first<payment>(
      db.query(payment_of_refund, parameters::of(id, merchant), query_deadline()),
      read_payment);
    if (!of)
      return of.error();
    if (!*of)
      return answer{};
    const auto& operations = (*of)->operations;
    const auto refund = std::ranges::find(operations, id.value, &operation::id);
    if (refund == operations.end())
      return corrupt_row("payment");
    return answer{refund_view{(*of)->id, (*of)->unit, *refund}};
  });
}

void postgres_store::timeline(payment_id id, callback<std::optional<timeline_view>> done) {
  readers_.ask(std::move(done), [id](connection& db) { return read_timeline(db, id); });
}

} // namespace holdfast::storage
