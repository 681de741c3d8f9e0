// Closing batches and storing the files that carry them.
#include "messages/codec.hpp"
#include "storage/settlement_unit.hpp"

#include <algorithm>
#include <functional>

namespace holdfast::storage {

namespace {

/// The first ready items, each with the number of its future batch. The same in both statements
/// that use it, for nothing changes in between: the shard is ours and held.
#define HF_READY                                                                              \
  "ready as (select o.id, o.merchant_id, o.acquirer, o.currency, o.kind, o.amount"            \
  "   from payment_operation o where o.shard_id = $1 and o.status = 2 and o.batch_id is null" \
  "   and ($2::uuid is null or o.merchant_id = $2) and o.succeeded_at < $3"                   \
  "   order by o.merchant_id, o.id limit $5),"                                                \
  " parted as (select r.*, (row_number() over (partition by r.merchant_id, r.acquirer,"       \
  "   r.currency order by r.id) - 1) / $4 as part from ready r),"                             \
  " numbered as (select p.*, (dense_rank() over (order by p.merchant_id, p.acquirer,"         \
  "   p.currency, p.part))::int4 as number from parted p)"

constexpr sql ready_groups{
  "settlement_ready_groups",
  "with " HF_READY
  " select merchant_id, acquirer, currency, count(*)::int4,"
  " sum(case kind when 1 then amount else -amount end)::int8,"
  " encode(sha256(string_agg(uuid_send(id) || int8send(amount), ''::bytea order by id)), 'hex')"
  " from numbered group by number, merchant_id, acquirer, currency order by number"};

constexpr sql insert_batches{"settlement_insert_batches", R"sql(
insert into batch (id, shard_id, merchant_id, acquirer, currency, status, items, gross, closed_at)
select u.id, $1, u.merchant_id, u.acquirer, u.currency, 1, u.items, u.gross, $2
  from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int4[], $8::int8[])
         as u(id, merchant_id, acquirer, currency, items, gross))sql"};

/// $6 has the batch of each number, or the nil id. An array needs no join, which with many
/// small batches and a wrong guess of their number would compare each item with each batch.
constexpr sql fill_batches{
  "settlement_fill_batches",
  "with " HF_READY
  " update payment_operation o"
  "   set batch_id = ($6::uuid[])[n.number], settlement_status = 1"
  "   from numbered n where o.id = n.id"
  "   and ($6::uuid[])[n.number] <> '00000000-0000-0000-0000-000000000000'"};

constexpr sql insert_file{"settlement_insert_file", R"sql(
insert into settlement_file (id, shard_id, acquirer, status, content, sha256, items, next_try_at,
                             created_at, updated_at, status_since)
values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $9))sql"};

/// A batch goes into one file only.
constexpr sql assign_batches{"settlement_assign_batches",
                             "update batch set file_id = $2 where id = any($1::uuid[])"
                             " and file_id is null and shard_id = $3"};

/// Never backwards: what has been answered stays so.
constexpr sql mark_file_sql{"settlement_mark_file",
                            "update settlement_file set status = $2, tries = $3,"
                            " next_try_at = $4, note = $5, updated_at = $6,"
                            " status_since = case status when $2 then status_since else $6 end"
                            " where id = $1 and (status = $2 or status in (1, 2))"};

constexpr sql mark_batches_submitted{
  "settlement_mark_submitted", "update batch set status = 2 where file_id = $1 and status = 1"};

batch_closed read_group(row& from) {
  batch_closed group;
  group.merchant.value = from.id();
  group.acquirer = from.text();
  group.unit = from.unit();
  group.items = static_cast<std::uint32_t>(from.int4());
  group.gross = from.amount();
  group.items_sha256 = from.text();
  return group;
}

class batch_closer final : public settlement_unit<closed_batches> {
public:
  batch_closer(close_batches_request request, callback<closed_batches> done)
    : settlement_unit(std::move(done)),
      request_(request),
      batch_items_(std::clamp(request.max_items, 1U, limits::file_items_max)) {}

  expected<void> perform(unit_scope& scope) override {
    result_ = {};
    const auto found = run_sql(scope, ready_groups, ready(scope));
    if (!found)
      return found.error();
    auto groups = read_all<batch_closed>(*found, read_group);
    if (!groups)
      return groups.error();
    if (groups->empty())
      return {};
    const auto leaves = left_for_next_run(*groups);
    id_source ids{request_.now, scope.shard, request_.random_seed};
    array_of<uuid> by_number;
    std::vector<batch_closed> closed;
    for (auto& group : *groups) {
      if (leaves(group)) {
        by_number.add(uuid{});
        continue;
      }
      group.batch.value = ids.next();
      by_number.add(group.batch.value);
      ++result_.batches;
      result_.items += group.items;
      closed.push_back(std::move(group));
    }
    if (auto done = insert(scope, closed); !done)
      return done;
    if (auto done = fill(scope, std::move(by_number)); !done)
      return done;
    log(scope, closed);
    return {};
  }

private:
  parameters ready(const unit_scope& scope) const {
    return parameters::of(scope.shard, request_.merchant, request_.captured_before,
                          std::int64_t{batch_items_}, std::int64_t{request_.run_items});
  }

  /// The last merchant of a full run may have more than was read: of it, only batches that are
  /// full close now. A run that would close none by that closes what it has.
  std::function<bool(const batch_closed&)> left_for_next_run(
    const std::vector<batch_closed>& groups) {
    std::uint64_t read = 0;
    for (const auto& group : groups)
      read += group.items;
    result_.has_more = read >= request_.run_items;
    const auto is_left = [this, last = groups.back().merchant](const batch_closed& group) {
      return group.merchant == last && group.items < batch_items_;
    };
    if (!result_.has_more || std::ranges::all_of(groups, is_left))
      return [](const batch_closed&) { return false; };
    return is_left;
  }

  expected<void> insert(unit_scope& scope, const std::vector<batch_closed>& batches) const {
    array_of<uuid> ids, merchants;
    array_of<std::string_view> acquirers, currencies;
    array_of<std::int32_t> items;
    array_of<std::int64_t> gross;
    for (const auto& one : batches) {
      ids.add(one.batch.value);
      merchants.add(one.merchant.value);
      acquirers.add(one.acquirer);
      currencies.add(one.unit.code());
      items.add(static_cast<std::int32_t>(one.items));
      gross.add(one.gross.value());
    }
    const auto done =
      run_sql(scope, insert_batches,
              parameters::of(scope.shard, request_.now, std::move(ids), std::move(merchants),
                             std::move(acquirers), std::move(currencies), std::move(items),
                             std::move(gross)));
    if (!done)
      return done.error();
    return {};
  }

  expected<void> fill(unit_scope& scope, array_of<uuid> by_number) const {
    auto values = ready(scope);
    values.add(std::move(by_number));
    const auto filled = run_sql(scope, fill_batches, values);
    if (!filled)
      return filled.error();
    if (filled->affected() != static_cast<std::int64_t>(result_.items))
      return make_error(errc::internal,
                        "batches were not filled with what they were closed for");
    return {};
  }

  void log(unit_scope& scope, const std::vector<batch_closed>& batches) const {
    for (const auto& one : batches)
      scope.events.push_back({event_type::batch_closed,
                              one.merchant,
                              one.batch.value,
                              request_.now,
                              encode(settlement_event{one}),
                              {}});
  }

  const close_batches_request request_;
  const std::uint32_t batch_items_;
};

class file_storer final : public settlement_unit<bool> {
public:
  file_storer(store_file_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    const auto& file = request_.file;
    const auto stored =
      run_sql(scope, insert_file,
              parameters::of(file.id, scope.shard, file.acquirer, byte_view{file.content},
                             file.sha256, static_cast<std::int32_t>(request_.items),
                             file.next_try_at, file.created_at, request_.now));
    if (!stored)
      return stored.error();
    std::vector<uuid> batches;
    for (const auto& batch : request_.batches)
      batches.push_back(batch.value);
    const auto assigned =
      run_sql(scope, assign_batches, parameters::of(to_array(batches), file.id, scope.shard));
    if (!assigned)
      return assigned.error();
    if (assigned->affected() != static_cast<std::int64_t>(batches.size()))
      return make_error(errc::conflict, "a batch is in another file");
    const file_stored event{file.id, file.acquirer, static_cast<std::uint32_t>(batches.size()),
                            request_.items, file.sha256};
    scope.events.push_back({event_type::file_stored,
                            {},
                            file.id.value,
                            request_.now,
                            encode(settlement_event{event}),
                            {}});
    result_ = true;
    return {};
  }

private:
  const store_file_request request_;
};

/// May be repeated: the same marks once more change nothing, and what was raised is raised
/// once.
class file_marker final : public settlement_unit<bool> {
public:
  file_marker(mark_file_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    const auto marked =
      run_sql(scope, mark_file_sql,
              parameters::of(request_.file, static_cast<std::int16_t>(request_.status),
                             static_cast<std::int32_t>(request_.tries), request_.next_try_at,
                             request_.note, request_.now));
    if (!marked)
      return marked.error();
    result_ = marked->affected() == 1;
    if (!result_)
      return {};
    if (request_.status == file_status::submitted && request_.tries == 0) {
      if (auto done = acknowledged(scope); !done)
        return done;
    }
    if (request_.status == file_status::refused)
      tell_refusal(scope);
    id_source ids{request_.now, scope.shard, request_.random_seed};
    const auto raised =
      raise_exceptions(scope, request_.file, request_.exceptions, request_.now, ids);
    return raised ? expected<void>{} : raised.error();
  }

private:
  expected<void> acknowledged(unit_scope& scope) const {
    const auto batches = run_sql(scope, mark_batches_submitted, parameters::of(request_.file));
    if (!batches)
      return batches.error();
    return close_exceptions(scope, request_.file, "The acquirer has taken the file.",
                            request_.now);
  }

  void tell_refusal(unit_scope& scope) const {
    const file_refused event{request_.file, request_.acquirer, request_.note};
    scope.events.push_back({event_type::file_refused,
                            {},
                            request_.file.value,
                            request_.now,
                            encode(settlement_event{event}),
                            {}});
  }

  const mark_file_request request_;
};

} // namespace

std::unique_ptr<unit_of_work> close_batches(close_batches_request request,
                                            callback<closed_batches> done) {
  return std::make_unique<batch_closer>(std::move(request), std::move(done));
}

std::unique_ptr<unit_of_work> store_file(store_file_request request, callback<bool> done) {
  return std::make_unique<file_storer>(std::move(request), std::move(done));
}

std::unique_ptr<unit_of_work> mark_file(mark_file_request request, callback<bool> done) {
  return std::make_unique<file_marker>(std::move(request), std::move(done));
}

} // namespace holdfast::storage
