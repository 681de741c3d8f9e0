// Counts and totals over whole tables: the daily statement.
#include "messages/limits.hpp"
#include "storage/merging.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

namespace holdfast::storage {

namespace {

constexpr sql payments_by_status{"payments_by_status", R"sql(
select p.status, coalesce(x.status, 0)::int2, p.currency, count(*), sum(p.amount)::int8
  from payment p
  left join (select o.payment_id, )sql" HF_LEAST_SETTLED R"sql( as status
               from payment_operation o where o.kind = 1 and o.status = 2
              group by o.payment_id) x on x.payment_id = p.id
 group by 1, 2, 3)sql"};

/// What acquirers have settled, and what the platform's own fees leave of it. Fees are the
/// batches', for they are charged by the batch.
constexpr sql settled_by_merchant{"settled_by_merchant", R"sql(
with items as (
  select o.merchant_id, o.currency, count(*) as settled,
         coalesce(sum(o.amount) filter (where o.kind = 1), 0)::int8 as captures,
         coalesce(sum(o.amount) filter (where o.kind = 2), 0)::int8 as refunds
    from payment_operation o where o.settlement_status = 2
   group by o.merchant_id, o.currency),
fees as (
  select b.merchant_id, b.currency, sum(b.acquirer_fees + b.platform_fees)::int8 as fees,
         sum(b.net)::int8 as net
    from batch b where b.status = 4 group by b.merchant_id, b.currency)
select m.id, m.name, i.currency, i.settled, i.captures, i.refunds,
       coalesce(f.fees, 0), coalesce(f.net, 0)
  from items i join merchant m on m.id = i.merchant_id
  left join fees f on f.merchant_id = i.merchant_id and f.currency = i.currency
 order by m.name, m.id, i.currency)sql"};

constexpr sql exceptions_by_kind{
  "exceptions_by_kind", "select kind, count(*) from recon_exception group by 1 order by 1"};

status_count read_count(row& from) {
  const auto status = from.number<payment_status>();
  const auto settlement = from.number<settlement_status>();
  status_count count;
  count.status = public_status(status, settlement);
  count.unit = from.unit();
  count.payments = static_cast<std::uint64_t>(from.int8());
  count.amount = from.amount();
  return count;
}

statement_row read_statement_row(row& from) {
  statement_row line;
  line.merchant.value = from.id();
  line.merchant_name = from.text();
  line.unit = from.unit();
  line.settled_items = static_cast<std::uint64_t>(from.int8());
  line.gross = from.amount();
  line.refunds = from.amount();
  line.fees = from.amount();
  line.net = from.amount();
  return line;
}

using class_count = std::pair<std::string, std::uint64_t>;

class_count read_class(row& from) {
  auto kind = from.text();
  return {std::move(kind), static_cast<std::uint64_t>(from.int8())};
}

template <class T, class Read>
expected<std::vector<T>> report(connection& db, const sql& what, Read read) {
  const auto found =
    db.query(what, {}, std::chrono::steady_clock::now() + limits::report_query_time_max);
  if (!found)
    return found.error();
  return read_all<T>(*found, read);
}

expected<std::vector<status_count>> count_payments(connection& db) {
  const auto counts = report<status_count>(db, payments_by_status, read_count);
  if (!counts)
    return counts.error();
  // Several pairs of columns have one public status.
  return merge_counts(*counts);
}

expected<statement> read_statement(connection& db) {
  auto by_status = count_payments(db);
  if (!by_status)
    return by_status.error();
  auto by_merchant = report<statement_row>(db, settled_by_merchant, read_statement_row);
  if (!by_merchant)
    return by_merchant.error();
  auto exceptions = report<class_count>(db, exceptions_by_kind, read_class);
  if (!exceptions)
    return exceptions.error();
  return statement{std::move(*by_status), std::move(*by_merchant), std::move(*exceptions)};
}

} // namespace

void postgres_store::make_statement(callback<statement> done) {
  readers_.ask(std::move(done), read_statement);
}

void postgres_store::count_by_status(callback<std::vector<status_count>> done) {
  readers_.ask(std::move(done), count_payments);
}

} // namespace holdfast::storage
