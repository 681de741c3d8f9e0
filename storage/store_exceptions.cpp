// Exceptions and dead letters as operators list them, and what a resolution is decided on.
#include "messages/limits.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

namespace holdfast::storage {

namespace {

constexpr sql page_of_exceptions{
  "page_of_exceptions", "select " HF_EXCEPTION_COLUMNS
                        " from recon_exception x where ($2::uuid is null or x.id < $2)"
                        " and ($3::int2 is null or x.status = $3) and ($4 = '' or x.kind = $4)"
                        " and ($5::uuid is null or x.merchant_id = $5)"
                        " order by x.id desc limit $1"};

constexpr sql select_exception{
  "select_exception", "select " HF_EXCEPTION_COLUMNS " from recon_exception x where x.id = $1"};

constexpr sql page_of_dead_letters{"page_of_dead_letters",
                                   "select " HF_DEAD_LETTER_COLUMNS
                                   " from dead_letter d where ($2::uuid is null or d.id < $2)"
                                   " and ($3::int2 is null or d.status = $3)"
                                   " order by d.id desc limit $1"};

constexpr sql select_dead_letter{
  "select_dead_letter", "select " HF_DEAD_LETTER_COLUMNS " from dead_letter d where d.id = $1"};

/// The accounts of an exception are its item's acquirer's, else its file's.
#define HF_CASE                                                                     \
  "select " HF_EXCEPTION_COLUMNS                                                    \
  ", coalesce(o.acquirer, f.acquirer, ''), o.kind, o.amount, o.settlement_status, " \
  "o.settle_tries from recon_exception x"                                           \
  " left join payment_operation o on o.id = x.operation_id"                         \
  " left join settlement_file f on f.id = x.file_id where "

constexpr sql select_case{"select_exception_case", HF_CASE "x.id = $1"};

constexpr sql select_refusal{"select_refusal_of_batch", HF_CASE
                             "x.status = 1 and x.kind = 'file_refused'"
                             " and x.file_id = (select file_id from batch where id = $1)"};

exception_case read_case(row& from) {
  exception_case found{read_exception(from), from.text(), {}};
  if (from.skip_null())
    return found; // The other columns of the item are null too, and are not looked at.
  exception_case::item item;
  item.kind = from.number<operation_kind>();
  item.amount = from.amount();
  item.status = from.number<settlement_status>();
  item.tries = static_cast<std::uint32_t>(from.int4());
  found.subject = item;
  return found;
}

/// The number of a status that a filter names; none for an empty name.
expected<std::optional<std::int16_t>> status_number(std::string_view given,
                                                    std::string_view first,
                                                    std::string_view second) {
  if (given.empty())
    return std::optional<std::int16_t>{};
  if (given != first && given != second)
    return make_error(errc::invalid_argument,
                      "expected " + std::string{first} + " or " + std::string{second});
  return std::optional<std::int16_t>{given == first ? std::int16_t{1} : std::int16_t{2}};
}

expected<slice<exception_view>> read_exceptions(connection& db,
                                                const exception_filter& filter) {
  const auto after = window_start<exception_id>(filter.window);
  if (!after)
    return after.error();
  const auto status = status_number(filter.status, "open", "resolved");
  if (!status)
    return status.error();
  const auto limit = window_limit(filter.window);
  const auto found = db.query(
    page_of_exceptions,
    parameters::of(std::int64_t{limit} + 1, *after, *status, filter.kind, filter.merchant),
    query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<exception_view>(*found, read_exception), limit);
}

expected<slice<dead_letter_view>> read_dead_letters(connection& db, const std::string& named,
                                                    const page& window) {
  const auto after = window_start<dead_letter_id>(window);
  if (!after)
    return after.error();
  const auto status = status_number(named, "waiting", "replayed");
  if (!status)
    return status.error();
  const auto limit = window_limit(window);
  const auto found =
    db.query(page_of_dead_letters, parameters::of(std::int64_t{limit} + 1, *after, *status),
             query_deadline());
  if (!found)
    return found.error();
  return to_slice(read_all<dead_letter_view>(*found, read_dead_letter), limit);
}

} // namespace

void postgres_store::list_exceptions(exception_filter filter,
                                     callback<slice<exception_view>> done) {
  readers_.ask(std::move(done), [filter = std::move(filter)](connection& db) {
    return read_exceptions(db, filter);
  });
}

void postgres_store::find_exception(exception_id id,
                                    callback<std::optional<exception_view>> done) {
  readers_.ask(std::move(done), [id](connection& db) {
    return read_first<exception_view>(
      db.query(select_exception, parameters::of(id), query_deadline()), read_exception);
  });
}

void postgres_store::list_dead_letters(std::string status, page window,
                                       callback<slice<dead_letter_view>> done) {
  readers_.ask(std::move(done),
               [status = std::move(status), window = std::move(window)](connection& db) {
                 return read_dead_letters(db, status, window);
               });
}

void postgres_store::find_dead_letter(dead_letter_id id,
                                      callback<std::optional<dead_letter_view>> done) {
  readers_.ask(std::move(done), [id](connection& db) {
    return read_first<dead_letter_view>(
      db.query(select_dead_letter, parameters::of(id), query_deadline()), read_dead_letter);
  });
}

void postgres_settlement_store::find_exception_case(
  exception_id id, callback<std::optional<exception_case>> done) {
  readers_.ask(std::move(done), [id](connection& db) {
    return read_first<exception_case>(
      db.query(select_case, parameters::of(id), query_deadline()), read_case);
  });
}

void postgres_settlement_store::find_refusal_of(batch_id batch,
                                                callback<std::optional<exception_case>> done) {
  readers_.ask(std::move(done), [batch](connection& db) {
    return read_first<exception_case>(
      db.query(select_refusal, parameters::of(batch), query_deadline()), read_case);
  });
}

} // namespace holdfast::storage
