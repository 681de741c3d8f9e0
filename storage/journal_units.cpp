// How the journal's writer runs a unit of work: like a transaction of its own, with statements
// of the unit's between the fence and the log.
#include "messages/fault_point.hpp"
#include "messages/limits.hpp"
#include "storage/journal_writer.hpp"

namespace holdfast::storage {

namespace {

/// Set-based work is planned by what it finds, unlike the writes.
constexpr const char* begin_unit_script =
  "begin; set local enable_seqscan = on; set local plan_cache_mode = force_custom_plan";

/// Holds the shard for the rest of the transaction: a take-over waits.
constexpr sql hold_shard{"journal_hold_shard",
                         "select shard_id from shard where shard_id = $1 and epoch = $2 "
                         "and last_seq = $3 for update"};

constexpr const char* taken_away = "another owner has taken the shard";

/// The shard is somebody else's. Nothing was done, unless a COMMIT before went unanswered.
error not_ours(const queued_unit& unit, const char* why) {
  if (!unit.is_in_doubt)
    return make_error(errc::not_owner, why);
  return make_error(errc::unknown_outcome,
                    std::string{"a COMMIT was not answered, and then: "} + why);
}

} // namespace

void journal_writer::run_unit(queued_unit unit) {
  while (is_open(unit.shard, unit.epoch)) {
    if (!ensure_connected() || !is_open(unit.shard, unit.epoch))
      break;
    if (auto outcome = unit_attempt(unit)) {
      unit.work->finish(std::move(*outcome));
      return;
    }
    if (!pause())
      break;
  }
  if (!is_open(unit.shard, unit.epoch)) {
    unit.work->finish(not_ours(unit, "the shard is not open"));
    return;
  }
  unit.work->finish(make_error(errc::unknown_outcome, "the database is out of reach"));
  give_up();
}

/// None: to be tried again.
std::optional<expected<void>> journal_writer::unit_attempt(queued_unit& unit) {
  switch (begin_unit(unit)) {
    case attempt_end::committed: break;
    case attempt_end::fenced:
      roll_back();
      lose_shards({unit.shard}, taken_away);
      return not_ours(unit, taken_away);
    default: drop_connection(); return std::nullopt;
  }
  unit_scope scope{*db_, unit.shard, {}};
  if (auto done = unit.work->perform(scope); !done) {
    if (db_->failed()) {
      drop_connection();
      return std::nullopt;
    }
    roll_back();
    if (done.error().code == errc::unavailable)
      return std::nullopt;
    return done;
  }
  return commit_unit(unit, scope);
}

journal_writer::attempt_end journal_writer::begin_unit(const queued_unit& unit) {
  const auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  if (!db_->script(begin_unit_script, deadline))
    return attempt_end::retry;
  const auto& head = open_.at(unit.shard);
  const auto held =
    db_->query(hold_shard, parameters::of(unit.shard, head.epoch, head.last_seq), deadline);
  if (!held)
    return attempt_end::retry;
  return held->rows() == 1 ? attempt_end::committed : attempt_end::fenced;
}

std::optional<expected<void>> journal_writer::commit_unit(queued_unit& unit,
                                                          const unit_scope& scope) {
  const auto tx = transaction::of_events(unit.shard, open_.at(unit.shard), scope.events);
  auto end = attempt(tx, true);
  if (end == attempt_end::unknown) {
    const auto committed = find_out(tx);
    unit.is_in_doubt = unit.is_in_doubt || !committed || !tx.proof();
    // Without a proof the unit is repeatable, so it is repeated.
    end = committed.value_or(false) ? attempt_end::committed : attempt_end::retry;
  }
  switch (end) {
    case attempt_end::committed:
      adopt(tx);
      fault_point("journal.committed_before_callbacks");
      ++transactions_;
      events_ += tx.events();
      return expected<void>{};
    case attempt_end::fenced:
      lose_shards({unit.shard}, taken_away);
      return not_ours(unit, taken_away);
    case attempt_end::refused: return make_error(errc::rejected, reason_);
    default: return std::nullopt;
  }
}

} // namespace holdfast::storage
