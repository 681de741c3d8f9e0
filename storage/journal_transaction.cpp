// How the journal's writer runs one transaction, and how it finds out what became of it.
#include "messages/fault_point.hpp"
#include "messages/limits.hpp"
#include "storage/journal_writer.hpp"

namespace holdfast::storage {

namespace {

constexpr sql begin_transaction{"journal_begin", "begin"};
constexpr sql commit_transaction{"journal_commit", "commit"};
constexpr sql roll_back_transaction{"journal_rollback", "rollback"};

/// Waits until a commit in flight on the connection before has ended, one way or the other.
constexpr sql lock_head{"journal_lock_head",
                        "select epoch, last_seq from shard where shard_id = $1 for update"};

constexpr sql logged_chain{"journal_logged_chain",
                           "select chain from event where shard_id = $1 and seq = $2"};

constexpr std::array<const sql*, 3> frame_statements{&begin_transaction, &commit_transaction,
                                                     &roll_back_transaction};

constexpr std::string_view unique_violation = "23505";

/// Refusals that say nothing about the rows: deadlock, no room, shutting down. That of a
/// read-only server never comes here, for the connection has failed then.
bool is_passing(std::string_view sqlstate) {
  for (const std::string_view prefix : {"08", "40", "53", "55", "57", "58"})
    if (sqlstate.starts_with(prefix))
      return true;
  return sqlstate == "25P03";
}

} // namespace

std::span<const sql* const> journal_frame_statements() noexcept {
  return frame_statements;
}

journal_writer::attempt_end journal_writer::attempt(const transaction& tx, bool begun) {
  const auto deadline = std::chrono::steady_clock::now() + limits::journal_transaction_time_max;
  conflicts_.clear();
  known_webhooks_.clear();
  fault_point("journal.before_begin");
  if (!begun)
    db_->send(begin_transaction, {});
  for (const auto& step : tx.steps())
    db_->send(*step.what, step.values);
  db_->send_flush();
  const auto end = receive_steps(tx, begun, deadline);
  if (end != attempt_end::committed) {
    roll_back();
    return end;
  }
  fault_point("journal.before_commit");
  return send_commit(deadline);
}

/// `committed` here means that everything is ready to be.
journal_writer::attempt_end journal_writer::receive_steps(const transaction& tx, bool begun,
                                                          steady_time deadline) {
  if (!begun) {
    const auto got = db_->receive(deadline);
    if (!got || !got->ok())
      return got ? judge_refusal(*got) : attempt_end::retry;
  }
  auto end = attempt_end::committed;
  for (const auto& step : tx.steps()) {
    const auto got = db_->receive(deadline);
    if (!got)
      return attempt_end::retry;
    if (!got->ok()) {
      // What an earlier step has found explains this one's refusal as well.
      if (end != attempt_end::committed)
        return end;
      const bool is_known_key = step.kind == transaction::step_kind::blind_claims
                                && got->sqlstate() == unique_violation;
      return is_known_key ? attempt_end::known_key : judge_refusal(*got);
    }
    const auto checked = check_step(step, tx, *got);
    if (end == attempt_end::committed)
      end = checked;
  }
  return end;
}

journal_writer::attempt_end journal_writer::check_step(const transaction::step& step,
                                                       const transaction& tx,
                                                       const result& got) {
  if (step.kind == transaction::step_kind::fence) {
    fenced_.clear();
    for (const auto& [shard, head] : tx.heads_after())
      fenced_.insert(shard);
    for (int i = 0; i < got.rows(); ++i)
      fenced_.erase(row{got, i}.shard());
    return fenced_.empty() ? attempt_end::committed : attempt_end::fenced;
  }
  if (step.kind == transaction::step_kind::claims) {
    for (const auto* claim : tx.claims())
      conflicts_.emplace(claim->merchant, claim->key);
    for (int i = 0; i < got.rows(); ++i) {
      row from{got, i};
      const merchant_id merchant{from.id()};
      conflicts_.erase({merchant, from.text()});
    }
    return conflicts_.empty() ? attempt_end::committed : attempt_end::conflicts;
  }
  if (step.kind == transaction::step_kind::webhooks) {
    for (const auto* notice : tx.webhooks())
      known_webhooks_.emplace(notice->gateway, notice->event_id);
    for (int i = 0; i < got.rows(); ++i) {
      row from{got, i};
      auto gateway = from.text();
      known_webhooks_.erase({std::move(gateway), from.text()});
    }
    return known_webhooks_.empty() ? attempt_end::committed : attempt_end::conflicts;
  }
  if (step.kind == transaction::step_kind::changes && got.affected() != step.hits) {
    reason_ = std::string{step.what->name} + ": a row to be changed is not there";
    return attempt_end::refused;
  }
  return attempt_end::committed;
}

journal_writer::attempt_end journal_writer::send_commit(steady_time deadline) {
  db_->send(commit_transaction, {});
  db_->send_sync();
  const bool sent = db_->push(deadline);
  fault_point("journal.commit_sent");
  if (sent) {
    const auto done = db_->receive(deadline);
    // Even a refusal may be the last word of a server that goes down right after the commit.
    if (done && done->ok() && db_->receive(deadline))
      return attempt_end::committed;
  }
  drop_connection();
  return attempt_end::unknown;
}

journal_writer::attempt_end journal_writer::judge_refusal(const result& refusal) {
  reason_ = refusal.reason();
  return is_passing(refusal.sqlstate()) ? attempt_end::retry : attempt_end::refused;
}

void journal_writer::roll_back() {
  const auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  const auto drain = [&] {
    for (;;) {
      const auto got = db_->receive(deadline);
      if (!got)
        return false;
      if (got->is_sync())
        return true;
    }
  };
  db_->send_sync();
  if (drain()) {
    db_->send(roll_back_transaction, {});
    db_->send_sync();
    if (drain())
      return;
  }
  drop_connection();
}

void journal_writer::adopt(const transaction& tx) {
  for (const auto& [shard, head] : tx.heads_after()) {
    options_.marks->note_seen(shard, head.last_seq);
    // It may have been lost since, by what a new connection has shown.
    if (const auto open = open_.find(shard); open != open_.end())
      open->second = head;
  }
  recovered();
}

// -- after an unanswered COMMIT ---------------------------------------------------------------

std::optional<bool> journal_writer::find_out(const transaction& tx) {
  const auto proof = tx.proof();
  if (!proof)
    return false; // It shows in no log; what it may have left behind is met as a conflict.
  while (ensure_connected()) {
    const auto logged = is_logged(proof->first, proof->second);
    if (logged)
      return *logged;
    drop_connection();
    if (!pause())
      return std::nullopt;
  }
  return std::nullopt;
}

expected<bool> journal_writer::is_logged(shard_number shard, const shard_head& head) {
  const auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  if (auto begun = db_->script("begin; set local lock_timeout = '2s'", deadline); !begun)
    return begun.error();
  if (auto locked = db_->query(lock_head, parameters::of(shard), deadline); !locked)
    return locked.error();
  // A successor may have written on, so the head says little. The event's chain is ours alone.
  const auto found = db_->query(logged_chain, parameters::of(shard, head.last_seq), deadline);
  if (!found)
    return found.error();
  if (auto ended = db_->script("rollback", deadline); !ended)
    return ended.error();
  return found->rows() == 1 && row{*found, 0}.bytes() == head.chain;
}

} // namespace holdfast::storage
