#include "runtime/api/known_keys.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace holdfast::api {

namespace {

std::uint64_t slot_of(const key_hash& hash) {
  std::uint64_t slot = 0;
  std::memcpy(&slot, hash.data(), sizeof slot);
  return slot;
}

/// A clock that jumped back counts as long.
bool is_long_ago(const std::optional<timestamp>& then, std::int64_t age_ms, timestamp now) {
  return !then || now < *then || now - *then >= milliseconds{age_ms};
}

caller caller_of(const storage::caller_row& row) {
  return {.merchant = row.key.merchant,
          .key = row.key.id,
          .stripes = row.stripes,
          .live = row.key.live};
}

error too_many() {
  return make_error(errc::overloaded, "too many requests wait for the API keys");
}

} // namespace

known_keys::key_table known_keys::make_table(const std::vector<storage::caller_row>& rows) {
  key_table table;
  table.reserve(rows.size());
  for (const auto& row : rows)
    if (!row.key.revoked_at)
      table.emplace(slot_of(row.key.hash), known_key{row.key.hash, caller_of(row)});
  return table;
}

/// Makes the table say of one key what its row says, whatever it said before.
void known_keys::change(const storage::caller_row& row) {
  const auto [first, last] = table_.equal_range(slot_of(row.key.hash));
  const auto known = std::find_if(
    first, last, [&](const auto& entry) { return entry.second.hash == row.key.hash; });
  if (known != last)
    table_.erase(known);
  if (!row.key.revoked_at)
    table_.emplace(slot_of(row.key.hash), known_key{row.key.hash, caller_of(row)});
}

std::optional<caller> known_keys::look_up(const key_hash& hash) const {
  const auto [first, last] = table_.equal_range(slot_of(hash));
  for (auto entry = first; entry != last; ++entry)
    if (CRYPTO_memcmp(entry->second.hash.data(), hash.data(), hash.size()) == 0)
      return entry->second.who;
  return std::nullopt;
}

/// While the database can't be read, what it told last goes on to count for a while, and a key
/// that isn't known may be one of its own.
expected<std::optional<caller>> known_keys::answer(const key_hash& hash, timestamp now) const {
  const auto who = look_up(hash);
  if (failure_ && (!who || is_older_than(limits::key_stale_ms_max, now)))
    return *failure_;
  return who;
}

/// Whether the latest look began so long ago that another may.
bool known_keys::is_due(std::int64_t age_ms, timestamp now) const {
  return !looking_ && !due_ && is_long_ago(looked_at_, age_ms, now);
}

bool known_keys::is_older_than(std::int64_t age_ms, timestamp now) const {
  return is_long_ago(read_at_, age_ms, now);
}

known_keys::next_step known_keys::begin_look(timestamp now) {
  looking_ = true;
  looked_at_ = now;
  began_ = now;
  return next_step::read;
}

/// Somebody waits, and the latest look was just now.
known_keys::next_step known_keys::pause() {
  return std::exchange(due_, true) ? next_step::none : next_step::pause;
}

void known_keys::take(next_step step) {
  if (step == next_step::read)
    read();
  if (step == next_step::pause)
    later_(milliseconds{limits::key_refresh_pause_ms}, [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->begin_due_look();
    });
}

void known_keys::read() {
  const auto after = [this] {
    const std::lock_guard lock{mutex_};
    return position_;
  }();
  store_.list_callers(
    shard_, after, [self = shared_from_this()](const expected<storage::caller_changes>& told) {
      self->end_look(told);
    });
}

/// Unless another has begun meanwhile, which those who wait are served by.
void known_keys::begin_due_look() {
  {
    const std::lock_guard lock{mutex_};
    due_ = false;
    if (looking_ || waiting_.all.empty())
      return;
    const auto paused_until = *looked_at_ + milliseconds{limits::key_refresh_pause_ms};
    static_cast<void>(begin_look(asked_at_));
    looked_at_ = std::max(asked_at_, paused_until);
  }
  read();
}

void known_keys::end_look(const expected<storage::caller_changes>& told) {
  std::vector<refreshed> served;
  // Of all keys a table takes its time: it is made before the mutex is taken, and the one that
  // it replaces goes after.
  const bool is_all = told && told->is_all;
  auto table = is_all ? make_table(told->rows) : key_table{};
  auto step = next_step::none;
  {
    const std::lock_guard lock{mutex_};
    looking_ = false;
    served = std::move(std::exchange(waiting_, std::exchange(waiting_next_, {})).all);
    if (told) {
      if (is_all)
        table_.swap(table);
      else
        std::ranges::for_each(told->rows, [this](const auto& row) { change(row); });
      position_ = told->upto;
      ++heard_;
      read_at_ = began_;
      failure_.reset();
    } else {
      failure_ = told.error();
      // Who came meanwhile is told too, rather than wait for another failure.
      std::ranges::move(std::exchange(waiting_, {}).all, std::back_inserter(served));
    }
    if (waiting_.urgent)
      step = begin_look(asked_at_);
    else if (!waiting_.all.empty())
      step = pause();
  }
  const auto heard = told ? expected<void>{} : expected<void>{told.error()};
  for (const auto& done : served)
    done(heard);
  take(step);
}

void known_keys::refresh(timestamp now, refreshed done) {
  auto step = next_step::none;
  {
    const std::lock_guard lock{mutex_};
    asked_at_ = now;
    auto& mine = looking_ ? waiting_next_ : waiting_;
    mine.all.push_back(std::move(done));
    mine.urgent = true;
    if (!looking_)
      step = begin_look(now);
  }
  take(step);
}

std::uint64_t known_keys::heard() const {
  const std::lock_guard lock{mutex_};
  return heard_;
}

/// A revocation is final, so it counts at once in any case. But a look that is under way may
/// have read the row before, and what was heard since may have been of somebody's revocation.
void known_keys::learn(const storage::caller_row& written, std::uint64_t heard_before,
                       timestamp now, const refreshed& done) {
  const bool is_revoked = written.key.revoked_at.has_value();
  bool is_latest = false;
  {
    const std::lock_guard lock{mutex_};
    is_latest = !looking_ && (is_revoked || heard_ == heard_before);
    if (is_latest || is_revoked)
      change(written);
    if (is_revoked)
      ++heard_;
  }
  if (is_latest)
    done({});
  else
    refresh(now, done);
}

known_keys::refreshed known_keys::answering(const key_hash& hash, timestamp now,
                                            const found& done) {
  return [self = shared_from_this(), hash, now, done](const expected<void>&) {
    done([&] {
      const std::lock_guard lock{self->mutex_};
      return self->answer(hash, now);
    }());
  };
}

bool known_keys::find_known(const key_hash& hash, timestamp now, const found& done) {
  expected<std::optional<caller>> known;
  auto step = next_step::none;
  bool wait = false;
  {
    const std::lock_guard lock{mutex_};
    if (!look_up(hash))
      return false;
    const bool stale = is_older_than(limits::key_stale_ms_max, now);
    const auto age_ms = stale ? limits::key_refresh_pause_ms : limits::key_age_ms_max;
    const bool start = is_due(age_ms, now);
    // What just failed is not waited for again, unless there is no other way to an answer.
    wait = stale ? start || looking_ || due_
                 : !failure_ && is_older_than(2 * limits::key_age_ms_max, now);
    const bool full = wait && waiting_.all.size() >= limits::key_waiting_max;
    known = full ? too_many() : answer(hash, now);
    wait = wait && !full;
    if (wait)
      waiting_.all.push_back(answering(hash, now, done));
    if (start || (wait && !looking_ && !due_))
      step = begin_look(now);
    asked_at_ = now;
  }
  // The answer first: a look may end within the call.
  if (!wait)
    done(std::move(known));
  take(step);
  return true;
}

void known_keys::find_anew(const key_hash& hash, timestamp now, const found& done) {
  auto step = next_step::none;
  std::optional<error> refused;
  {
    const std::lock_guard lock{mutex_};
    const bool start = is_due(limits::key_refresh_pause_ms, now);
    auto& mine = looking_ ? waiting_next_ : waiting_;
    // A database that could not be read just now is not asked again by everybody.
    if (failure_ && !start && !looking_ && !due_)
      refused = failure_;
    else if (mine.all.size() >= limits::key_waiting_max)
      refused = too_many();
    else
      mine.all.push_back(answering(hash, now, done));
    if (start)
      step = begin_look(now);
    else if (!refused && !looking_)
      step = pause();
    asked_at_ = now;
  }
  if (refused)
    done(*refused);
  take(step);
}

bool known_keys::opens(const key_hash& hash) const {
  const std::lock_guard lock{mutex_};
  return look_up(hash).has_value();
}

} // namespace holdfast::api
