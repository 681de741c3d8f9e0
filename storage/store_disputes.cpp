// Disputes, each read out of its payment.
#include "messages/limits.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

constexpr sql select_dispute{"select_dispute", "select d.id, " HF_PAYMENT_COLUMNS
                                               " from payment_dispute d"
                                               " join payment p on p.id = d.payment_id"
                                               " where d.id = $1 and d.merchant_id = $2"};

constexpr sql page_of_disputes{"page_of_disputes",
                               "select d.id, " HF_PAYMENT_COLUMNS
                               " from payment_dispute d"
                               " join payment p on p.id = d.payment_id"
                               " where d.merchant_id = $1 and ($2::uuid is null or d.id < $2)"
                               " order by d.id desc limit $3"};

expected<dispute_view> read_dispute(row& from) {
  const auto id = from.id_of<dispute_id>();
  const auto of = read_payment(from);
  if (!of)
    return of.error();
  const auto found = std::ranges::find(of->disputes, id, &dispute::id);
  if (found == of->disputes.end())
    return corrupt_row("payment");
  return dispute_view{of->id, of->unit, *found};
}

} // namespace

void postgres_store::find_dispute(dispute_id id, merchant_id merchant,
                                  callback<std::optional<dispute_view>> done) {
  readers_.ask(std::move(done), [id, merchant](connection& db) {
    return read_first<dispute_view>(
      db.query(select_dispute, parameters::of(id, merchant), query_deadline()), read_dispute);
  });
}

void postgres_store::list_disputes(merchant_id merchant, page window,
                                   callback<slice<dispute_view>> done) {
  readers_.ask(
    std::move(done), [merchant, window](connection& db) -> expected<slice<dispute_view>> {
      const auto start = window_start<dispute_id>(window);
      if (!start)
        return start.error();
      const auto limit = window_limit(window);
      const auto found =
        db.query(page_of_disputes, parameters::of(merchant, *start, std::int64_t{limit} + 1),
                 query_deadline());
      if (!found)
        return found.error();
      return to_slice(read_all<dispute_view>(*found, read_dispute), limit);
    });
}

} // namespace holdfast::storage
