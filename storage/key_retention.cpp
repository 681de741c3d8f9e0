// Writes down which idempotency keys are in use, and deletes those that are not.
#include "storage/key_retention.hpp"

#include "messages/limits.hpp"
#include "storage/connection.hpp"
#include "storage/unit_of_work.hpp"

#include <utility>

namespace holdfast::storage {

namespace {

constexpr sql touch_keys{"retention_touch_keys",
                         "update idempotency_key k set last_used_at = clock_timestamp()"
                         " from unnest($2::uuid[], $3::text[]) as u(merchant_id, key)"
                         " where k.merchant_id = u.merchant_id and k.key = u.key"
                         " and k.shard_id = $1"};

/// Every row that is looked at leaves the head of the index, deleted or not; so no row is in
/// the way of the next sweep. A row that is locked is being claimed, perhaps by another shard
/// of a merchant with stripes. statement_timestamp() rather than clock_timestamp(), which the
/// index could not be searched for.
constexpr sql sweep_keys{"retention_sweep_keys", R"sql(
with unused as materialized (
  select k.merchant_id, k.key, k.status is not null as answered
    from idempotency_key k
   where k.shard_id = $1
     and k.last_used_at < statement_timestamp() - $2::int8 * interval '1 millisecond'
   order by k.last_used_at limit $3 for update skip locked),
swept as (
  delete from idempotency_key k using unused u
   where u.answered and k.merchant_id = u.merchant_id and k.key = u.key
  returning 1),
kept as (
  update idempotency_key k set last_used_at = statement_timestamp() from unused u
   where not u.answered and k.merchant_id = u.merchant_id and k.key = u.key
  returning 1)
select (select count(*) from unused), (select count(*) from swept))sql"};

steady_time retention_deadline() {
  return std::chrono::steady_clock::now() + limits::journal_transaction_time_max;
}

class key_keeper final : public key_unit {
public:
  key_keeper(retain_keys_request request, callback<retained_keys> done)
    : request_(std::move(request)),
      done_(std::move(done)) {}

  expected<void> perform(unit_scope& scope) override {
    result_ = {};
    if (auto done = touch(scope); !done)
      return done;
    return sweep(scope);
  }

  void finish(expected<void> outcome) override {
    if (outcome)
      done_(result_);
    else
      done_(outcome.error());
  }

private:
  expected<void> touch(unit_scope& scope) const {
    if (request_.used.empty())
      return {};
    array_of<uuid> merchants;
    array_of<std::string_view> keys;
    for (const auto& one : request_.used) {
      merchants.add(one.merchant.value);
      keys.add(one.key);
    }
    const auto done = scope.db.query(
      touch_keys, parameters::of(scope.shard, std::move(merchants), std::move(keys)),
      retention_deadline());
    if (!done)
      return done.error();
    return {};
  }

  expected<void> sweep(unit_scope& scope) {
    if (request_.sweep_max == 0)
      return {};
    const auto limit = static_cast<std::int64_t>(request_.sweep_max);
    const auto done = scope.db.query(
      sweep_keys, parameters::of(scope.shard, limits::idempotency_key_swept_ms, limit),
      retention_deadline());
    if (!done)
      return done.error();
    row counts{*done, 0};
    result_.more = counts.int8() == limit;
    result_.swept = static_cast<std::uint64_t>(counts.int8());
    return {};
  }

  retain_keys_request request_;
  callback<retained_keys> done_;
  retained_keys result_;
};

} // namespace

std::unique_ptr<unit_of_work> retain_keys(retain_keys_request request,
                                          callback<retained_keys> done) {
  return std::make_unique<key_keeper>(std::move(request), std::move(done));
}

} // namespace holdfast::storage
