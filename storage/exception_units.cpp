// What is done to exceptions and dead letters: raised, handed to somebody, resolved, replayed.
#include "messages/codec.hpp"
#include "storage/settlement_unit.hpp"

namespace holdfast::storage {

namespace {

constexpr sql resolve_sql{"exception_resolve",
                          "update recon_exception set status = 2, resolved_at = $2,"
                          " resolution = $3, note = $4, resolved_by = $5"
                          " where id = $1 and status = 1"};

constexpr sql assign_sql{"exception_assign",
                         "update recon_exception set owner = $2,"
                         " note = case $3 when '' then note else $3 end"
                         " where id = $1 and status = 1"};

constexpr sql item_ready{"exception_item_ready",
                         "update payment_operation set settlement_status = 0, batch_id = null,"
                         " settle_tries = $3 where id = $1 and settlement_status = $2"};

constexpr sql item_settled{"exception_item_settled",
                           "update payment_operation set settlement_status = 2, fee = $3,"
                           " settled_at = $4 where id = $1 and settlement_status = $2"};

constexpr sql grow_batch{"exception_grow_batch",
                         "update batch b set gross = b.gross + $2,"
                         " acquirer_fees = b.acquirer_fees + $2 - $3, net = b.net + $3"
                         " from payment_operation o where o.id = $1 and b.id = o.batch_id"};

constexpr sql free_batches{"exception_free_batches",
                           "update batch b set file_id = null, status = 1"
                           " from settlement_file f where f.id = $1 and f.status = 5"
                           " and b.file_id = f.id returning b.id, b.merchant_id"};

constexpr sql ask_now{"exception_ask_now",
                      "update settlement_file set next_try_at = $2, tries = 0"
                      " where id = $1 and status in (1, 2, 3)"};

constexpr sql keep_letter{"dead_letter_keep", R"sql(
insert into dead_letter as d (id, shard_id, kind, subject, reason, payload, first_at, last_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
    on conflict (kind, subject) do update
   set reason = excluded.reason, payload = excluded.payload, last_at = excluded.last_at,
       count = d.count + case when d.last_at = excluded.last_at then 0 else 1 end,
       status = 1, replayed_at = null)sql"};

constexpr sql replay_letter{"dead_letter_replay",
                            "update dead_letter set status = 2, replayed_at = $2"
                            " where id = $1 and status = 1 returning kind, subject"};

struct freed_batch {
  batch_id batch;
  merchant_id merchant;
};

/// May be repeated: what was raised is raised once.
class exception_opener final : public settlement_unit<std::uint32_t> {
public:
  exception_opener(open_exceptions_request request, callback<std::uint32_t> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    id_source ids{request_.now, scope.shard, request_.random_seed};
    const auto raised =
      raise_exceptions(scope, std::nullopt, request_.exceptions, request_.now, ids);
    if (!raised)
      return raised.error();
    result_ = *raised;
    return {};
  }

private:
  const open_exceptions_request request_;
};

class exception_resolver final : public settlement_unit<bool> {
public:
  exception_resolver(resolve_exception_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(std::move(request)) {}

  expected<void> perform(unit_scope& scope) override {
    const auto closed =
      run_sql(scope, resolve_sql,
              parameters::of(request_.exception, request_.now, request_.resolution,
                             request_.note, request_.resolved_by));
    if (!closed)
      return closed.error();
    result_ = closed->affected() == 1;
    if (!result_)
      return {};
    if (auto done = change_item(scope); !done)
      return done;
    if (auto done = free_file(scope); !done)
      return done;
    if (auto done = ask_again(scope); !done)
      return done;
    log(scope);
    return {};
  }

private:
  expected<void> change_item(unit_scope& scope) const {
    if (request_.change == item_change::none)
      return {};
    const auto was = static_cast<std::int16_t>(request_.item_must_be);
    const bool again = request_.change == item_change::ready_again;
    const auto fee = request_.gross - request_.net;
    // The batch first: an item that waits again has none.
    if (!again) {
      const auto grown = run_sql(
        scope, grow_batch, parameters::of(request_.operation, request_.gross, request_.net));
      if (!grown)
        return grown.error();
    }
    const auto changed =
      again ? run_sql(
        scope, item_ready,
        parameters::of(request_.operation, was, static_cast<std::int32_t>(request_.item_tries)))
            : run_sql(scope, item_settled,
                      parameters::of(request_.operation, was, fee, request_.now));
    if (!changed)
      return changed.error();
    if (changed->affected() != 1)
      return make_error(errc::conflict, "the item is not as it was any more");
    return {};
  }

  expected<void> free_file(unit_scope& scope) const {
    if (!request_.resubmit_file)
      return {};
    const auto freed = run_sql(scope, free_batches, parameters::of(*request_.resubmit_file));
    if (!freed)
      return freed.error();
    const auto batches = read_all<freed_batch>(*freed, [](row& from) {
      const auto id = from.id_of<batch_id>();
      return freed_batch{id, from.id_of<merchant_id>()};
    });
    if (!batches)
      return batches.error();
    if (batches->empty())
      return make_error(errc::conflict, "the file is not refused any more");
    for (const auto& [batch, merchant] : *batches) {
      const batch_resubmitted event{batch, *request_.resubmit_file};
      scope.events.push_back({event_type::batch_resubmitted,
                              merchant,
                              batch.value,
                              request_.now,
                              encode(settlement_event{event}),
                              {}});
    }
    return {};
  }

  expected<void> ask_again(unit_scope& scope) const {
    if (!request_.ask_again)
      return {};
    const auto done =
      run_sql(scope, ask_now, parameters::of(*request_.ask_again, request_.now));
    return done ? expected<void>{} : done.error();
  }

  void log(unit_scope& scope) const {
    const exception_resolved event{request_.exception, request_.kind, request_.resolution,
                                   request_.note, request_.resolved_by};
    scope.events.push_back({event_type::exception_resolved, request_.merchant,
                            request_.exception.value, request_.now,
                            encode(settlement_event{event}), request_.postings});
  }

  const resolve_exception_request request_;
};

/// A unit that is one statement, which says by its row count whether there was anything to do.
/// It shows no event and may be repeated.
class single_statement final : public settlement_unit<bool> {
public:
  using make_values = std::function<parameters(const unit_scope&)>;

  single_statement(const sql& what, make_values values, callback<bool> done)
    : settlement_unit(std::move(done)),
      what_(what),
      values_(std::move(values)) {}

  expected<void> perform(unit_scope& scope) override {
    const auto done = run_sql(scope, what_, values_(scope));
    if (!done)
      return done.error();
    // Repeated after a lost commit it finds its own work done.
    result_ = result_ || done->affected() == 1;
    return {};
  }

private:
  const sql& what_;
  const make_values values_;
};

/// May be repeated, as a single_statement.
class letter_replayer final : public settlement_unit<bool> {
public:
  letter_replayer(replay_dead_letter_request request, callback<bool> done)
    : settlement_unit(std::move(done)),
      request_(request) {}

  expected<void> perform(unit_scope& scope) override {
    const auto replayed =
      run_sql(scope, replay_letter, parameters::of(request_.letter, request_.now));
    if (!replayed)
      return replayed.error();
    if (replayed->rows() == 0)
      return {};
    result_ = true;
    row letter{*replayed, 0};
    const auto kind = letter.text();
    const auto file = file_id::parse(letter.text());
    if (kind != "settlement_answer" || !file)
      return {};
    // The file waits for its next try, which is hours away: without this nothing would happen.
    const auto asked = run_sql(scope, ask_now, parameters::of(*file, request_.now));
    return asked ? expected<void>{} : asked.error();
  }

private:
  const replay_dead_letter_request request_;
};

} // namespace

std::unique_ptr<unit_of_work> open_exceptions(open_exceptions_request request,
                                              callback<std::uint32_t> done) {
  return std::make_unique<exception_opener>(std::move(request), std::move(done));
}

std::unique_ptr<unit_of_work> resolve_exception(resolve_exception_request request,
                                                callback<bool> done) {
  return std::make_unique<exception_resolver>(std::move(request), std::move(done));
}

std::unique_ptr<unit_of_work> assign_exception(assign_exception_request request,
                                               callback<bool> done) {
  auto values = [request = std::move(request)](const unit_scope&) {
    return parameters::of(request.exception, request.owner, request.note);
  };
  return std::make_unique<single_statement>(assign_sql, std::move(values), std::move(done));
}

std::unique_ptr<unit_of_work> keep_dead_letter(keep_dead_letter_request request,
                                               callback<bool> done) {
  auto values = [request = std::move(request)](const unit_scope& scope) {
    id_source ids{request.now, scope.shard, request.random_seed};
    const auto& letter = request.letter;
    return parameters::of(ids.next(), scope.shard, letter.kind, letter.subject, letter.reason,
                          letter.payload, request.now);
  };
  return std::make_unique<single_statement>(keep_letter, std::move(values), std::move(done));
}

std::unique_ptr<unit_of_work> replay_dead_letter(replay_dead_letter_request request,
                                                 callback<bool> done) {
  return std::make_unique<letter_replayer>(request, std::move(done));
}

} // namespace holdfast::storage
