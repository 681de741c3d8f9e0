// What the search for orphans reads of our own payments.
#include "messages/limits.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

namespace holdfast::storage {

namespace {

constexpr sql payments_by_id{"orphans_payments_by_id",
                             "select " HF_PAYMENT_COLUMNS
                             " from payment p where p.id = any($1::uuid[])"};

/// Authorized, partially captured or captured. Ids begin with their time, so the window is a
/// range of the primary key.
constexpr sql held_payments{"orphans_held_payments",
                            "select " HF_PAYMENT_COLUMNS
                            " from payment p where p.id >= $2 and p.id < $3 and p.id > $4"
                            " and p.gateway = $1 and p.status in (3, 4, 5)"
                            " order by p.id limit $5"};

/// The least id of that time.
uuid first_id_at(timestamp at) {
  return make_uuid(at, shard_number{0}, 0);
}

} // namespace

void postgres_settlement_store::find_payments(std::vector<payment_id> ids,
                                              callback<std::vector<payment>> done) {
  readers_.ask(
    std::move(done), [ids = std::move(ids)](connection& db) -> expected<std::vector<payment>> {
      array_of<uuid> wanted;
      for (const auto& id : ids)
        wanted.add(id.value);
      const auto found =
        db.query(payments_by_id, parameters::of(std::move(wanted)), query_deadline());
      if (!found)
        return found.error();
      return read_all<payment>(*found, read_payment);
    });
}

void postgres_settlement_store::payments_held_at(std::string gateway, timestamp from,
                                                 timestamp to, payment_id after,
                                                 std::size_t limit,
                                                 callback<std::vector<payment>> done) {
  readers_.ask(std::move(done),
               [gateway = std::move(gateway), from, to, after,
                limit](connection& db) -> expected<std::vector<payment>> {
                 const auto found =
                   db.query(held_payments,
                            parameters::of(gateway, first_id_at(from), first_id_at(to), after,
                                           static_cast<std::int64_t>(limit)),
                            query_deadline());
                 if (!found)
                   return found.error();
                 return read_all<payment>(*found, read_payment);
               });
}

} // namespace holdfast::storage
