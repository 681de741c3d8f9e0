#include "storage/journal_writer.hpp"

#include "messages/fault_point.hpp"
#include "messages/limits.hpp"
#include "messages/thread_name.hpp"
#include "storage/rows.hpp"

#include <algorithm>

namespace holdfast::storage {

namespace {

/// A known key costs the transaction that claims it blindly, and seldom comes alone.
constexpr std::size_t looks_after_known_key = 100;

constexpr sql find_keys{"journal_find_keys",
                        "select k.merchant_id, k.key, " HF_KEY_COLUMNS
                        " from unnest($1::uuid[], $2::text[]) as u(merchant_id, key)"
                        " join idempotency_key k"
                        " on k.merchant_id = u.merchant_id and k.key = u.key"};

} // namespace

journal_writer::journal_writer(journal_options options)
  : options_(std::move(options)),
    thread_([this] { work(); }) {}

journal_writer::~journal_writer() {
  queue_.stop();
  leaving_.signal();
  thread_.join();
}

// -- from any thread --------------------------------------------------------------------------

void journal_writer::open_shard(shard_number shard, epoch_number epoch,
                                sequence_number last_seq, std::string chain) {
  queue_.push(shard_opening{shard, {epoch, last_seq, std::move(chain)}});
}

void journal_writer::close_shard(shard_number shard, std::function<void()> done) {
  queue_.push(shard_closing{shard, std::move(done)});
}

void journal_writer::submit(journal_write write, write_callback done) {
  const auto bytes = bytes_of(write);
  auto queued = std::make_unique<queued_write>(encoded(std::move(write), std::move(done)));
  queued->bytes = bytes;
  queue_.push(std::move(queued));
}

void journal_writer::barrier(shard_number, std::function<void()> done) {
  // What is queued is decided in its order, whatever the shard.
  queue_.push(shard_barrier{std::move(done)});
}

void journal_writer::run(shard_number shard, epoch_number epoch,
                         std::unique_ptr<unit_of_work> work) {
  queue_.push(queued_unit{shard, epoch, std::move(work)});
}

journal_figures journal_writer::figures() const {
  return {transactions_, writes_, events_, failed_writes_, queue_.size()};
}

void journal_writer::observe_commits(commit_observer observer) {
  const std::scoped_lock lock{mutex_};
  observer_ = std::move(observer);
}

void journal_writer::on_shard_lost(shard_lost_callback lost) {
  const std::scoped_lock lock{mutex_};
  lost_ = std::move(lost);
}

// -- the writer's thread ----------------------------------------------------------------------

void journal_writer::work() {
  name_this_thread("journal");
  for (;;) {
    refill();
    if (!backlog_.empty())
      step();
    else if (stop_at_ != steady_time::max())
      return;
    else if (!open_.empty() && turn_ != options_.turns->load())
      follow();
    else
      queue_.wait(steady_time::max());
  }
}

/// Nothing waits to be written; but a server that lacks what was acknowledged must not be read
/// from either.
void journal_writer::follow() {
  if (ensure_connected())
    recovered();
  else
    give_up();
}

void journal_writer::refill() {
  const auto known = backlog_.size();
  std::vector<queued_write_ptr> refused;
  queue_.take(backlog_, refused);
  for (auto i = known; i < backlog_.size(); ++i)
    if (const auto* opening = std::get_if<shard_opening>(&backlog_[i]))
      newest_[opening->shard] = opening->head.epoch;
  for (const auto& queued : refused) {
    ++failed_writes_;
    queued->done({write_result::kind::overloaded, {}, {}, "the queue is full"});
  }
  if (stop_at_ == steady_time::max() && queue_.stopping())
    stop_at_ = std::chrono::steady_clock::now() + limits::journal_flush_time_max;
}

void journal_writer::step() {
  auto& front = backlog_.front();
  if (std::holds_alternative<queued_write_ptr>(front)) {
    const auto batch = gather();
    write_list writes;
    for (const auto& queued : batch)
      writes.push_back(queued.get());
    commit(std::move(writes));
    return;
  }
  auto entry = std::move(front);
  backlog_.pop_front();
  if (auto* unit = std::get_if<queued_unit>(&entry)) {
    run_unit(std::move(*unit));
  } else if (auto* opening = std::get_if<shard_opening>(&entry)) {
    options_.marks->note_seen(opening->shard, opening->head.last_seq);
    open_[opening->shard] = std::move(opening->head);
  } else if (auto* closing = std::get_if<shard_closing>(&entry)) {
    open_.erase(closing->shard);
    closing->done();
  } else if (auto* reached = std::get_if<shard_barrier>(&entry)) {
    reached->done();
  }
}

std::vector<queued_write_ptr> journal_writer::gather() {
  std::vector<queued_write_ptr> batch;
  std::set<std::pair<merchant_id, std::string_view>> claimed;
  std::set<std::pair<std::string_view, std::string_view>> told;
  std::size_t bytes = 0;
  while (!backlog_.empty() && batch.size() < limits::journal_batch_writes_max) {
    auto* next = std::get_if<queued_write_ptr>(&backlog_.front());
    if (next == nullptr)
      break;
    const auto& queued = **next;
    if (!batch.empty() && bytes + queued.bytes > limits::journal_batch_bytes_max)
      break;
    // The second claim of a key is left to the next transaction, which finds the first one's
    // row.
    const auto& claim = queued.write.claim;
    if (claim && !claimed.emplace(claim->merchant, claim->key).second)
      break;
    const auto& notice = queued.write.webhook;
    if (notice && !told.emplace(notice->gateway, notice->event_id).second)
      break;
    bytes += queued.bytes;
    batch.push_back(std::move(*next));
    backlog_.pop_front();
  }
  return batch;
}

bool journal_writer::is_open(shard_number shard, epoch_number epoch) const {
  const auto head = open_.find(shard);
  const auto newest = newest_.find(shard);
  return head != open_.end() && head->second.epoch == epoch && newest != newest_.end()
         && newest->second == epoch;
}

// -- committing writes ------------------------------------------------------------------------

void journal_writer::commit(write_list writes) {
  for (drop_stale(writes); !writes.empty(); drop_stale(writes)) {
    if (!ensure_connected())
      return abandon(writes);
    // A new connection may have shown that shards are not ours any more.
    if (drop_stale(writes); writes.empty())
      return;
    const auto started = std::chrono::steady_clock::now();
    const auto tx = transaction::of_writes(
      writes, open_,
      looks_left_ > 0 ? transaction::claiming::looking : transaction::claiming::blind);
    auto end = attempt(tx, false);
    if (end == attempt_end::unknown) {
      const auto committed = find_out(tx);
      if (!committed)
        return abandon(writes);
      for (auto* queued : writes)
        queued->maybe_committed = queued->maybe_committed || !tx.proof();
      end = *committed ? attempt_end::committed : attempt_end::retry;
    }
    switch (end) {
      case attempt_end::committed: {
        looks_left_ -= std::min<std::size_t>(looks_left_, 1);
        const auto took = std::chrono::steady_clock::now() - started;
        adopt(tx);
        fault_point("journal.committed_before_callbacks");
        finish_committed(tx, writes,
                         std::chrono::duration_cast<std::chrono::microseconds>(took).count());
        return;
      }
      case attempt_end::fenced: finish_fenced(writes); break;
      case attempt_end::known_key: looks_left_ = looks_after_known_key; break;
      case attempt_end::conflicts: finish_conflicts(writes); break;
      case attempt_end::refused: commit_apart(std::move(writes)); return;
      case attempt_end::unknown:
      case attempt_end::retry:
        if (!pause())
          return abandon(writes);
        break;
    }
  }
}

void journal_writer::abandon(const write_list& writes) {
  finish_all(writes, write_result::kind::lost, "the database is out of reach");
  give_up();
}

/// One of the writes is to blame: halve until it stands alone. Order is kept, for the first
/// half is written before the second.
void journal_writer::commit_apart(write_list writes) {
  if (writes.size() == 1) {
    finish_all(writes, write_result::kind::rejected, reason_);
    return;
  }
  const auto middle = writes.begin() + static_cast<std::ptrdiff_t>(writes.size() / 2);
  commit(write_list{writes.begin(), middle});
  commit(write_list{middle, writes.end()});
}

void journal_writer::drop_stale(write_list& writes) {
  const auto is_stale = [this](queued_write* queued) {
    if (is_open(queued->write.shard, queued->write.epoch))
      return false;
    finish(*queued, {write_result::kind::not_owner, {}, {}, "the shard is not open"});
    return true;
  };
  std::erase_if(writes, is_stale);
}

void journal_writer::finish_committed(const transaction& tx, const write_list& writes,
                                      std::int64_t commit_us) {
  ++transactions_;
  writes_ += writes.size();
  events_ += tx.events();
  for (std::size_t i = 0; i < writes.size(); ++i)
    finish(*writes[i], {write_result::kind::committed, tx.last_seqs()[i], {}, {}});
  const std::scoped_lock lock{mutex_};
  if (observer_)
    observer_(writes.size(), commit_us);
}

void journal_writer::finish_fenced(write_list& writes) {
  lose_shards(fenced_, "another owner has taken the shard");
  drop_stale(writes);
}

/// A notice's write always has events, so after a lost COMMIT the log tells whether it was
/// ours: a notice that is met here was recorded by another delivery of it.
void journal_writer::finish_known_webhooks(write_list& writes) {
  std::erase_if(writes, [this](queued_write* queued) {
    const auto& notice = queued->write.webhook;
    if (!notice || !known_webhooks_.contains({notice->gateway, notice->event_id}))
      return false;
    finish(*queued, {write_result::kind::webhook_known, {}, {}, {}});
    return true;
  });
}

void journal_writer::finish_conflicts(write_list& writes) {
  finish_known_webhooks(writes);
  if (conflicts_.empty())
    return;
  array_of<uuid> merchants;
  array_of<std::string_view> keys;
  for (const auto& [merchant, key] : conflicts_) {
    merchants.add(merchant.value);
    keys.add(key);
  }
  const auto deadline = std::chrono::steady_clock::now() + limits::query_time_max;
  const auto found =
    db_->query(find_keys, parameters::of(std::move(merchants), std::move(keys)), deadline);
  if (!found) {
    // The next round meets the same conflicts again.
    drop_connection();
    return;
  }
  for (int i = 0; i < found->rows(); ++i) {
    row from{*found, i};
    const merchant_id merchant{from.id()};
    const auto key = from.text();
    auto existing = read_stored_key(from);
    const auto claims_it = [&](const queued_write* queued) {
      const auto& claim = queued->write.claim;
      return claim && claim->merchant == merchant && claim->key == key;
    };
    const auto loser = std::ranges::find_if(writes, claims_it);
    if (loser == writes.end())
      continue;
    const auto& claim = *(*loser)->write.claim;
    if ((*loser)->maybe_committed && existing.subject == claim.subject
        && existing.request == claim.request)
      finish(**loser,
             {write_result::kind::committed, open_.at((*loser)->write.shard).last_seq, {}, {}});
    else
      finish(**loser, {write_result::kind::key_conflict, {}, std::move(existing), {}});
    writes.erase(loser);
  }
}

void journal_writer::finish_all(const write_list& writes, write_result::kind outcome,
                                const std::string& detail) {
  for (auto* queued : writes)
    finish(*queued, {outcome, {}, {}, detail});
}

void journal_writer::finish(queued_write& queued, write_result outcome) {
  if (outcome.outcome != write_result::kind::committed)
    ++failed_writes_;
  queue_.settle(queued.bytes);
  queued.done(std::move(outcome));
}

} // namespace holdfast::storage
