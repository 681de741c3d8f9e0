// Applying what acquirers answer: per-item results, then the settlement report.
#include "messages/codec.hpp"
#include "storage/settlement_unit.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace holdfast::storage {

namespace {

/// Until the acquirer has answered, all items that they were closed with are in them.
constexpr sql batches_of_file{"settlement_answered_batches",
                              "select id, merchant_id, items from batch where file_id = $1"};

constexpr sql places_of_items{
  "settlement_places_of_items",
  "select o.id, o.batch_id from payment_operation o join batch b on b.id = o.batch_id"
  " where o.id = any($2::uuid[]) and b.file_id = $1 and o.settlement_status = 1"};

/// Rejected items keep their batch, so that their way can be followed.
constexpr sql reject_items{"settlement_reject_items",
                           "update payment_operation o set settlement_status = 3"
                           " where o.id = any($1::uuid[]) and o.settlement_status = 1"};

constexpr sql defer_items{
  "settlement_defer_items",
  "update payment_operation o set settlement_status = 0, batch_id = null,"
  " settle_tries = o.settle_tries + 1"
  " where o.id = any($1::uuid[]) and o.settlement_status = 1"};

constexpr sql answer_batches{"settlement_answer_batches",
                             "update batch set status = 3 where file_id = $1"};

/// The totals follow what is left in the batch.
constexpr sql count_batches_anew{"settlement_count_batches_anew", R"sql(
update batch b set items = x.items, gross = x.gross
  from batch k cross join lateral (
        select count(*)::int4 as items,
               coalesce(sum(case o.kind when 1 then o.amount else -o.amount end), 0)::int8 as gross
          from payment_operation o where o.batch_id = k.id and o.settlement_status = 1) x
 where b.id = k.id and k.file_id = $1)sql"};

/// How many items of the table are in a batch no statistics tell, for a cut-off changes it by
/// all of them; and a guess of none makes a plan that compares every item with every other.
/// `coalesce` keeps the planner from guessing.
#define HF_IS_BATCHED "coalesce(o.settlement_status = 1, false)"

constexpr sql settle_items{
  "settlement_settle_items",
  "update payment_operation o"
  " set settlement_status = 2, fee = u.fee, report_line = u.report_line, settled_at = $1"
  " from unnest($2::uuid[], $3::int8[], $4::int4[]) as u(id, fee, report_line)"
  " where o.id = u.id and " HF_IS_BATCHED};

/// What a person has settled before the report came has no line in it, and stays in its batch:
/// an item that the file's results had raised an exception about.
constexpr sql reconcile_batches{"settlement_reconcile_batches", R"sql(
update batch b
   set status = 4, gross = u.gross + coalesce(x.gross, 0),
       acquirer_fees = u.acquirer_fees + coalesce(x.fees, 0), platform_fees = u.platform_fees,
       net = u.net + coalesce(x.gross - x.fees, 0), reconciled_at = $1
  from unnest($2::uuid[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
         as u(id, gross, acquirer_fees, platform_fees, net)
  left join (select o.batch_id, sum(o.fee)::int8 as fees,
                    sum(case o.kind when 1 then o.amount else -o.amount end)::int8 as gross
               from payment_operation o
              where o.id = any(array(select operation_id from recon_exception
                                      where file_id = $7 and operation_id is not null))
                and o.batch_id = any($2::uuid[]) and o.settlement_status = 2
                and o.report_line is null
              group by o.batch_id) x on x.batch_id = u.id
 where b.id = u.id)sql"};

constexpr sql postpone_report{"settlement_postpone_report",
                              "update settlement_file set tries = $2, next_try_at = $3,"
                              " updated_at = $4 where id = $1 and status = 3"};

using postings_by_batch = std::map<batch_id, std::vector<posting>>;

/// Postings by the batch that they belong to; the nil batch for those of the file itself.
postings_by_batch sort_postings(const std::vector<posting>& postings,
                                const std::unordered_map<uuid, batch_id>& batch_of) {
  postings_by_batch sorted;
  for (const auto& entry : postings) {
    const auto found = batch_of.find(entry.subject);
    sorted[found != batch_of.end() ? found->second : batch_id{}].push_back(entry);
  }
  return sorted;
}

/// Carries postings only: what it counts is counted elsewhere.
std::string empty_answer(const file_id& file) {
  return encode(settlement_event{file_answered{file, 0, 0, 0}});
}

void append_file_postings(unit_scope& scope, const file_id& file, timestamp now,
                          postings_by_batch& postings) {
  const auto left = postings.find(batch_id{});
  if (left == postings.end())
    return;
  event_record event{event_type::file_answered, {}, file.value, now, empty_answer(file), {}};
  append_with_postings(scope, std::move(event), std::move(left->second), empty_answer(file));
}

/// Inserts what the answer raises, of which its own events tell, and ends what was open about
/// its absence.
template <class Request>
expected<void> update_exceptions(unit_scope& scope, const Request& request) {
  id_source ids{request.now, scope.shard, request.random_seed};
  const auto inserted =
    insert_exceptions(scope, request.file, request.exceptions, request.now, ids);
  if (!inserted)
    return inserted.error();
  return close_exceptions(scope, request.file, "The acquirer has answered.", request.now);
}

// -- per-item results -------------------------------------------------------------------------

class results_applier final : public settlement_unit<bool> {
public:
  results_applier(apply_results_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    const auto fresh =
      advance_file(scope, request_.file, {file_status::stored, file_status::submitted},
                   file_status::answered, request_.next_try_at, request_.now);
    if (!fresh)
      return fresh.error();
    result_ = *fresh;
    if (!*fresh)
      return {};
    if (auto done = log(scope); !done)
      return done;
    if (auto done = move_items(scope); !done)
      return done;
    if (auto done = update_exceptions(scope, request_); !done)
      return done;
    return keep_answer(scope, request_.file, answer_kind::results, request_.raw, request_.now);
  }

private:
  struct batch_answer {
    merchant_id merchant;
    file_answered counts;
  };

  /// One event a batch, so that each merchant's feed tells of its own.
  expected<void> log(unit_scope& scope) const {
    auto answers = read_batches(scope);
    if (!answers)
      return answers.error();
    const auto batch_of = count_moved(scope, *answers);
    if (!batch_of)
      return batch_of.error();
    auto postings = sort_postings(request_.postings, *batch_of);
    for (const auto& [batch, answer] : *answers) {
      event_record event{event_type::file_answered,
                         answer.merchant,
                         batch.value,
                         request_.now,
                         encode(settlement_event{answer.counts}),
                         {}};
      append_with_postings(scope, std::move(event), std::move(postings[batch]),
                           empty_answer(request_.file));
    }
    append_file_postings(scope, request_.file, request_.now, postings);
    return {};
  }

  /// With all of their items accepted.
  expected<std::map<batch_id, batch_answer>> read_batches(unit_scope& scope) const {
    const auto found = run_sql(scope, batches_of_file, parameters::of(request_.file));
    if (!found)
      return found.error();
    std::map<batch_id, batch_answer> answers;
    std::size_t items = 0;
    for (int i = 0; i < found->rows(); ++i) {
      row from{*found, i};
      const auto batch = from.id_of<batch_id>();
      batch_answer answer{from.id_of<merchant_id>(), {request_.file}};
      answer.counts.accepted = static_cast<std::uint32_t>(from.int4());
      items += answer.counts.accepted;
      answers.emplace(batch, answer);
    }
    if (items != request_.results.size())
      return make_error(errc::rejected, "the results are not of the items of the file");
    return answers;
  }

  /// Of those that leave their batch, which one that is.
  expected<std::unordered_map<uuid, batch_id>> count_moved(
    unit_scope& scope, std::map<batch_id, batch_answer>& answers) const {
    std::unordered_map<uuid, batch_id> batch_of;
    std::unordered_map<uuid, item_verdict> verdicts;
    std::vector<uuid> moved;
    for (const auto& item : request_.results)
      if (item.verdict != item_verdict::accepted) {
        verdicts.emplace(item.operation, item.verdict);
        moved.push_back(item.operation);
      }
    if (moved.empty())
      return batch_of;
    const auto places =
      run_sql(scope, places_of_items, parameters::of(request_.file, to_array(moved)));
    if (!places)
      return places.error();
    if (static_cast<std::size_t>(places->rows()) != moved.size())
      return make_error(errc::rejected, "a result is not of an item of the file");
    for (int i = 0; i < places->rows(); ++i) {
      row from{*places, i};
      const auto operation = from.id();
      const auto batch = from.id_of<batch_id>();
      batch_of.emplace(operation, batch);
      auto& counts = answers.at(batch).counts;
      --counts.accepted;
      ++(verdicts.at(operation) == item_verdict::rejected ? counts.rejected : counts.deferred);
    }
    return batch_of;
  }

  expected<void> move_items(unit_scope& scope) const {
    const auto answered = run_sql(scope, answer_batches, parameters::of(request_.file));
    if (!answered)
      return answered.error();
    const auto rejected = move(scope, reject_items, item_verdict::rejected);
    if (!rejected)
      return rejected.error();
    const auto deferred = move(scope, defer_items, item_verdict::deferred);
    if (!deferred)
      return deferred.error();
    if (*rejected + *deferred == 0)
      return {};
    const auto counted = run_sql(scope, count_batches_anew, parameters::of(request_.file));
    if (!counted)
      return counted.error();
    return {};
  }

  /// Answers how many there were.
  expected<std::int64_t> move(unit_scope& scope, const sql& how, item_verdict verdict) const {
    std::vector<uuid> ids;
    for (const auto& item : request_.results)
      if (item.verdict == verdict)
        ids.push_back(item.operation);
    if (ids.empty())
      return std::int64_t{0};
    const auto moved = run_sql(scope, how, parameters::of(to_array(ids)));
    if (!moved)
      return moved.error();
    return moved->affected();
  }

  const apply_results_request request_;
};

// -- the report -------------------------------------------------------------------------------

class report_applier final : public settlement_unit<bool> {
public:
  report_applier(apply_report_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    const auto fresh = advance_file(scope, request_.file, {file_status::answered},
                                    file_status::reconciled, request_.now, request_.now);
    if (!fresh)
      return fresh.error();
    result_ = *fresh;
    if (!*fresh)
      return {};
    if (auto done = settle(scope); !done)
      return done;
    if (auto done = reconcile(scope); !done)
      return done;
    if (auto done = update_exceptions(scope, request_); !done)
      return done;
    log(scope);
    return keep_answer(scope, request_.file, answer_kind::report, request_.raw, request_.now);
  }

private:
  expected<void> settle(unit_scope& scope) const {
    array_of<uuid> ids;
    array_of<std::int64_t> fees;
    array_of<std::int32_t> lines;
    for (const auto& item : request_.settled) {
      ids.add(item.operation);
      fees.add(item.fee.value());
      lines.add(static_cast<std::int32_t>(item.report_line));
    }
    const auto settled =
      run_sql(scope, settle_items,
              parameters::of(request_.now, std::move(ids), std::move(fees), std::move(lines)));
    if (!settled)
      return settled.error();
    if (settled->affected() != static_cast<std::int64_t>(request_.settled.size()))
      return make_error(errc::rejected, "the report settles an item that is not in a batch");
    return {};
  }

  expected<void> reconcile(unit_scope& scope) const {
    array_of<uuid> ids;
    array_of<std::int64_t> gross, acquirer_fees, platform_fees, net;
    for (const auto& batch : request_.batches) {
      ids.add(batch.batch.value);
      gross.add(batch.gross.value());
      acquirer_fees.add(batch.acquirer_fees.value());
      platform_fees.add(batch.platform_fees.value());
      net.add(batch.net.value());
    }
    const auto reconciled = run_sql(
      scope, reconcile_batches,
      parameters::of(request_.now, std::move(ids), std::move(gross), std::move(acquirer_fees),
                     std::move(platform_fees), std::move(net), request_.file));
    if (!reconciled)
      return reconciled.error();
    return {};
  }

  void log(unit_scope& scope) const {
    std::unordered_map<uuid, batch_id> batch_of;
    for (const auto& batch : request_.batches)
      batch_of.emplace(batch.batch.value, batch.batch);
    auto postings = sort_postings(request_.postings, batch_of);
    for (const auto& batch : request_.batches) {
      const batch_reconciled outcome{batch.batch,         batch.gross, batch.acquirer_fees,
                                     batch.platform_fees, batch.net,   batch.settled,
                                     batch.exceptions};
      event_record event{event_type::batch_reconciled,
                         batch.merchant,
                         batch.batch.value,
                         request_.now,
                         encode(settlement_event{outcome}),
                         {}};
      append_with_postings(scope, std::move(event), std::move(postings[batch.batch]),
                           empty_answer(request_.file));
    }
    append_file_postings(scope, request_.file, request_.now, postings);
  }

  const apply_report_request request_;
};

/// The file stays as it is. The report that opens the exception is kept, and of those that
/// follow while it is open none: an acquirer that stamps each with the time would fill the
/// disk.
class report_refuser final : public settlement_unit<bool> {
public:
  report_refuser(refuse_report_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    result_ = false;
    const auto waits =
      run_sql(scope, postpone_report,
              parameters::of(request_.file, static_cast<std::int32_t>(request_.tries),
                             request_.next_try_at, request_.now));
    if (!waits)
      return waits.error();
    if (waits->affected() != 1)
      return {};
    result_ = true;
    id_source ids{request_.now, scope.shard, request_.random_seed};
    const auto raised =
      raise_exceptions(scope, request_.file, {request_.exception}, request_.now, ids);
    if (!raised)
      return raised.error();
    if (*raised == 0)
      return {};
    return keep_answer(scope, request_.file, answer_kind::refused_report, request_.raw,
                       request_.now);
  }

private:
  const refuse_report_request request_;
};

} // namespace

std::unique_ptr<unit_of_work> refuse_report(refuse_report_request request,
                                            callback<bool> done) {
  return std::make_unique<report_refuser>(std::move(request), std::move(done));
}

std::unique_ptr<unit_of_work> apply_results(apply_results_request request,
                                            callback<bool> done) {
  return std::make_unique<results_applier>(std::move(request), std::move(done));
}

std::unique_ptr<unit_of_work> apply_report(apply_report_request request, callback<bool> done) {
  return std::make_unique<report_applier>(std::move(request), std::move(done));
}

} // namespace holdfast::storage
