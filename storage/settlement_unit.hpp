// What the units of settlement have in common.
#pragma once

#include "messages/limits.hpp"
#include "storage/rows.hpp"
#include "storage/settlement.hpp"
#include "storage/unit_of_work.hpp"

namespace holdfast::storage {

/// A unit that answers a callback with what its last run made.
template <class Result>
class settlement_unit : public unit_of_work {
public:
  explicit settlement_unit(callback<Result> done) : done_(std::move(done)) {}

  void finish(expected<void> outcome) final {
    if (outcome)
      done_(result_);
    else
      done_(outcome.error());
  }

protected:
  Result result_{};

private:
  callback<Result> done_;
};

/// Ids of one run: the same again when the run is repeated.
class id_source {
public:
  id_source(timestamp now, shard_number shard, std::uint64_t seed) noexcept
    : now_(now),
      shard_(shard),
      state_(seed) {}

  [[nodiscard]] uuid next() noexcept;

private:
  timestamp now_;
  shard_number shard_;
  std::uint64_t state_;
};

[[nodiscard]] steady_time settlement_deadline();

/// One statement of a unit. Errors: the database's.
[[nodiscard]] expected<result> run_sql(unit_scope& scope, const sql& what,
                                       const parameters& values);

/// Appends the event with its postings; what is beyond the limit of one event goes to copies
/// with `more` as their payload.
void append_with_postings(unit_scope& scope, event_record event, std::vector<posting> postings,
                          const std::string& more);

/// An exception's row, as far as an event tells of it.
struct known_exception {
  exception_id id;
  std::string kind;
  merchant_id merchant;
};

/// Each fingerprint at most once in a call. Answers those that are open now and were not
/// before.
[[nodiscard]] expected<std::vector<known_exception>> insert_exceptions(
  unit_scope& scope, const std::optional<file_id>& file,
  const std::vector<new_exception>& exceptions, timestamp now, id_source& ids);
/// Likewise, and appends an event for each. Answers how many there are.
[[nodiscard]] expected<std::uint32_t> raise_exceptions(
  unit_scope& scope, const std::optional<file_id>& file,
  const std::vector<new_exception>& exceptions, timestamp now, id_source& ids);

/// Ends what is open about the silence or the nonsense of the file's acquirer, with events.
[[nodiscard]] expected<void> close_exceptions(unit_scope& scope, const file_id& file,
                                              const std::string& note, timestamp now);

/// What the acquirer sent. Persisted.
enum class answer_kind : std::uint8_t {
  results = 1,
  report = 2,
  refused_report = 3, ///< It contradicts itself; nothing of it was applied.
};

[[nodiscard]] expected<void> keep_answer(unit_scope& scope, const file_id& file,
                                         answer_kind kind, const std::string& raw,
                                         timestamp now);

/// Moves the file to `to` if it stands in one of `from`; false: it does not, so this has been
/// done before. Errors: the database's.
[[nodiscard]] expected<bool> advance_file(unit_scope& scope, const file_id& file,
                                          const std::vector<file_status>& from, file_status to,
                                          timestamp next_try_at, timestamp now);

} // namespace holdfast::storage
