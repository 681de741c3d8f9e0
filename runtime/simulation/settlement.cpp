#include "runtime/simulation/settlement.hpp"

#include "actors/reconciler/core.hpp"
#include "messages/limits.hpp"
#include "runtime/simulation/checker.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>
#include <array>

namespace holdfast::simulation {

using namespace std::chrono_literals;
using acquirers::acquirer_verb;
using acquirers::acquirer_verdict;
using storage::file_status;

namespace {

struct zone_terms {
  const char* zone;
  std::chrono::minutes cutoff; ///< local time, shortly after a world begins
};

constexpr std::array zones{
  zone_terms{"UTC", 12h + 1min},
  zone_terms{"Europe/Berlin", 13h + 1min},
  zone_terms{"America/New_York", 7h + 1min},
};

/// After which an operator has looked at a file that was refused.
constexpr microseconds resubmitted_after = 2h;

bool is_open(file_status status) {
  return status != file_status::reconciled && status != file_status::refused;
}

std::int64_t signed_amount(const storage::batch_item_view& view) {
  return view.kind == operation_kind::refund ? -view.amount.value() : view.amount.value();
}

} // namespace

settlement::settlement(world& of) : world_(of), acquirer_(of) {
  const auto& where = zones.at(of.chance().below(zones.size()));
  terms_.zone = where.zone;
  terms_.cutoff = where.cutoff;
  terms_.items_max = of.chance().one_in(2) ? 20 : 10'000;
}

// -- what the database keeps of captures and refunds
// ----------------------------------------------------

void settlement::note(shard_number shard, payment_ref payment,
                      const payments::recorded_event& what) {
  const auto* done = std::get_if<operation_succeeded>(&what.event);
  if (done == nullptr || done->kind == operation_kind::void_hold)
    return;
  const auto& state = *world_.db().find_payment(payment)->state;
  const auto* held = payments::approved_attempt(state);
  for (const auto& op : state.operations) {
    if (op.kind != done->kind || op.ordinal != done->ordinal)
      continue;
    item made;
    made.shard = shard;
    made.merchant = state.merchant;
    made.succeeded_at = what.at;
    made.view.operation = op.id;
    made.view.kind = op.kind;
    made.view.ordinal = op.ordinal;
    made.view.payment = state.id;
    made.view.amount = op.amount;
    made.view.gateway = held->gateway;
    made.view.gateway_reference = held->gateway_reference;
    made.view.status = settlement_status::none;
    item_of_.emplace(op.id, items_.size());
    ready_[state.merchant].push_back(items_.size());
    items_.push_back(std::move(made));
  }
}

bool settlement::has_ready_items(shard_number shard, const merchant_id& merchant) const {
  const auto found = ready_.find(merchant);
  return merchant.shard() == shard && found != ready_.end() && !found->second.empty();
}

void settlement::move(const uuid& operation, settlement_status to) {
  auto& one = items_.at(item_of_.at(operation));
  if (one.view.status != settlement_status::batched)
    return world_.check().fail('M', "an item that is not in a batch was settled or refused",
                               ref_of(one.view.payment.value));
  one.view.status = to;
  if (to == settlement_status::none) {
    one.batch = none;
    ++one.view.tries;
    ready_[one.merchant].push_back(item_of_.at(operation));
  }
}

// -- merchants
// ----------------------------------------------------------------------------------------------

/// They need no memory: whatever the latest past cut-off should have closed is closed now.
void settlement::shard_started(shard_actor& shard) {
  if (reconcilers_[shard.number()].epoch > shard.epoch())
    return; // Replaced before it could begin.
  for (const auto& merchant : world_.merchants())
    if (has_ready_items(shard.number(), merchant)) {
      close(shard, merchant, merchants::last_cutoff(terms_, world_.now()));
      schedule(shard, merchant);
    }
  reconcilers_[shard.number()] = {shard.epoch(), false, false, std::nullopt};
  drive(shard);
}

void settlement::item_ready(shard_actor& shard, const merchant_id& merchant) {
  schedule(shard, merchant);
  auto& clock = clocks_[merchant];
  if (++clock.gathered < terms_.items_max)
    return;
  clock.gathered = 0;
  close(shard, merchant, world_.now() + 1us);
}

void settlement::schedule(shard_actor& shard, const merchant_id& merchant) {
  auto& clock = clocks_[merchant];
  if (clock.is_set && clock.epoch == shard.epoch())
    return;
  clock = {shard.epoch(), true, 0};
  const auto next = merchants::next_cutoff(terms_, world_.now());
  world_.on_node(shard.node(), next - world_.now(),
                 [this, me = shard.weak_from_this(), merchant, next] {
                   const auto self = me.lock();
                   if (!self)
                     return;
                   clocks_[merchant].is_set = false;
                   close(*self, merchant, next);
                   if (has_ready_items(self->number(), merchant))
                     schedule(*self, merchant);
                 });
}

void settlement::close(shard_actor& shard, const merchant_id& merchant, timestamp before) {
  shard.writer().run(
    shard.number(), shard.epoch(),
    {[this, number = shard.number(), merchant, before] { close_now(number, merchant, before); },
     [this, me = shard.weak_from_this()](bool committed) {
       if (const auto self = me.lock(); self && committed)
         drive(*self);
     }});
}

void settlement::close_now(shard_number shard, const merchant_id& merchant, timestamp before) {
  auto& waiting = ready_[merchant];
  std::size_t current = none;
  const auto takes = [&](std::size_t index) {
    auto& one = items_[index];
    if (one.succeeded_at >= before)
      return false;
    if (current == none || batches_[current].items.size() >= terms_.items_max) {
      current = batches_.size();
      auto& made = batches_.emplace_back();
      made.shard = shard;
      made.view.id = batch_id::make(world_.now(), shard, world_.chance().next());
      made.view.merchant = merchant;
      made.view.acquirer = "acquirer";
      made.view.unit = world_.unit();
      made.view.closed_at = world_.now();
    }
    one.view.status = settlement_status::batched;
    one.view.batch = batches_[current].view.id;
    one.batch = current;
    batches_[current].items.push_back(index);
    return true;
  };
  std::erase_if(waiting, takes);
  world_.note(no_payment, step_kind::settlement, shard.value, batches_.size());
}

// -- the reconciler: file what is closed, then move every open file one step
// ------------------------------

void settlement::drive(shard_actor& shard) {
  auto& mine = reconcilers_[shard.number()];
  if (mine.epoch != shard.epoch())
    return;
  if (mine.is_busy) {
    mine.again = true;
    return;
  }
  mine.is_busy = true;
  round(shard);
}

void settlement::round(shard_actor& shard) {
  // What was put off waits for the next cut-off.
  for (const auto& merchant : world_.merchants())
    if (has_ready_items(shard.number(), merchant))
      schedule(shard, merchant);
  std::vector<std::size_t> unfiled;
  for (std::size_t i = 0; i < batches_.size(); ++i)
    if (batches_[i].shard == shard.number() && batches_[i].file == none)
      unfiled.push_back(i);
  if (!unfiled.empty())
    return store_file(shard, std::move(unfiled));
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (files_[i].shard == shard.number() && is_open(files_[i].status)
        && files_[i].next_try_at <= world_.now())
      return ask(shard, i);
  rest(shard);
}

void settlement::rest(shard_actor& shard) {
  auto& mine = reconcilers_[shard.number()];
  mine.is_busy = false;
  if (std::exchange(mine.again, false))
    return drive(shard);
  std::optional<timestamp> next;
  for (const auto& file : files_)
    if (file.shard == shard.number() && is_open(file.status))
      next = next ? std::min(*next, file.next_try_at) : file.next_try_at;
  if (next)
    look_again(shard, *next);
}

void settlement::look_again(shard_actor& shard, timestamp at) {
  auto& mine = reconcilers_[shard.number()];
  const auto due = std::max(at, world_.now() + milliseconds{limits::settlement_look_ms_min});
  if (mine.look_at && *mine.look_at <= due)
    return;
  mine.look_at = due;
  world_.on_node(shard.node(), due - world_.now(), [this, me = shard.weak_from_this(), due] {
    const auto self = me.lock();
    if (!self)
      return;
    auto& its = reconcilers_[self->number()];
    if (its.epoch != self->epoch() || its.look_at != due)
      return;
    its.look_at.reset();
    drive(*self);
  });
}

void settlement::write(shard_actor& shard, std::function<void()> what) {
  shard.writer().run(shard.number(), shard.epoch(),
                     {std::move(what), [this, me = shard.weak_from_this()](bool committed) {
                        const auto self = me.lock();
                        // An owner that has been replaced has nothing to say any more.
                        if (!self || reconcilers_[self->number()].epoch != self->epoch())
                          return;
                        if (committed)
                          return round(*self);
                        // Nothing was decided; the round begins anew after a while.
                        reconcilers_[self->number()].is_busy = false;
                        look_again(*self,
                                   world_.now() + milliseconds{limits::shard_start_retry_ms});
                      }});
}

void settlement::store_file(shard_actor& shard, std::vector<std::size_t> which) {
  const auto now = world_.now();
  storage::settlement_file file;
  file.id = file_id::make(now, shard.number(), world_.chance().next());
  file.shard = shard.number();
  file.acquirer = "acquirer";
  file.status = file_status::stored;
  file.next_try_at = now;
  file.created_at = now;
  std::vector<storage::batch_content> content;
  for (const auto index : which) {
    auto& made = content.emplace_back();
    made.batch = batches_[index].view;
    for (const auto number : batches_[index].items)
      made.items.push_back(items_[number].view);
  }
  file.content = settlements::write_file(file.id, file.acquirer, now, content);
  write(shard, [this, which = std::move(which), file = std::move(file)] {
    for (const auto index : which) {
      if (batches_[index].file != none)
        return world_.check().fail('M', "a batch went into two files", no_payment);
      batches_[index].file = files_.size();
    }
    files_.push_back(file);
  });
}

void settlement::ask(shard_actor& shard, std::size_t index) {
  const auto& file = files_[index];
  acquirers::acquirer_request asked;
  asked.file = file.id.text();
  asked.verb = file.status == file_status::stored      ? acquirer_verb::submit_file
               : file.status == file_status::submitted ? acquirer_verb::fetch_results
                                                       : acquirer_verb::fetch_report;
  if (asked.verb == acquirer_verb::submit_file)
    asked.content = file.content;
  auto answer = std::make_shared<acquirers::acquirer_answer>();
  world_.in_world(
    world_.chance().span(1ms, 50ms),
    [this, answer, asked = std::make_shared<acquirers::acquirer_request>(std::move(asked))] {
      *answer = acquirer_.handle(*asked);
    });
  world_.on_node(shard.node(), world_.chance().span(51ms, 100ms),
                 [this, me = shard.weak_from_this(), index, answer] {
                   if (const auto self = me.lock())
                     on_answer(*self, index, std::move(*answer));
                 });
}

void settlement::on_answer(shard_actor& shard, std::size_t index,
                           acquirers::acquirer_answer answer) {
  auto& file = files_[index];
  switch (answer.verdict) {
    case acquirer_verdict::pending:
    case acquirer_verdict::unknown: return try_later(shard, index);
    case acquirer_verdict::refused:
      return write(shard, [this, index] {
        files_[index].status = file_status::refused;
        resubmit_later(index);
      });
    case acquirer_verdict::done: break;
  }
  if (file.status == file_status::stored)
    return write(shard, [this, index] {
      files_[index].status = file_status::submitted;
      files_[index].tries = 0;
    });
  if (file.status == file_status::submitted)
    apply_results(shard, index, answer);
  else
    apply_report(shard, index, answer);
}

void settlement::try_later(shard_actor& shard, std::size_t index) {
  const auto& file = files_[index];
  const auto doublings = std::min<std::uint32_t>(file.tries, 16);
  auto wait = milliseconds{
    std::min(limits::settlement_retry_ms_min << doublings, limits::settlement_retry_ms_max)};
  if (world_.now() - file.created_at > 1h)
    wait = terms_.silent_retry;
  write(shard, [this, index, next = world_.now() + wait] {
    ++files_[index].tries;
    files_[index].next_try_at = next;
  });
}

std::vector<storage::batch_content> settlement::content_of(std::size_t file) const {
  std::vector<storage::batch_content> content;
  for (const auto& one : batches_) {
    if (one.file != file)
      continue;
    auto& made = content.emplace_back();
    made.batch = one.view;
    for (const auto index : one.items)
      if (const auto& view = items_[index].view;
          view.status == settlement_status::batched && view.batch == one.view.id)
        made.items.push_back(view);
  }
  return content;
}

/// An answer that contradicts itself or our file decides nothing: it is asked for again.
void settlement::apply_results(shard_actor& shard, std::size_t index,
                               const acquirers::acquirer_answer& answer) {
  auto judged = settlements::judge_results(content_of(index), answer.results);
  if (!judged)
    return try_later(shard, index);
  write(shard, [this, index,
                judged = std::make_shared<settlements::answered_items>(std::move(*judged))] {
    auto& file = files_[index];
    if (file.status != file_status::submitted)
      return; // An answer that comes twice is applied once.
    file.status = file_status::answered;
    file.tries = 0;
    for (const auto& entry : judged->postings)
      world_.db().post(entry);
    for (const auto& result : judged->results) {
      if (result.verdict == storage::item_verdict::rejected)
        move(result.operation, settlement_status::rejected);
      else if (result.verdict == storage::item_verdict::deferred)
        move(result.operation, settlement_status::none);
    }
  });
}

void settlement::apply_report(shard_actor& shard, std::size_t index,
                              const acquirers::acquirer_answer& answer) {
  const auto report = settlements::parse_report(answer.body, files_[index].id);
  if (!report)
    return try_later(shard, index);
  auto matched = settlements::match_report(files_[index].id, content_of(index), *report);
  write(shard, [this, index,
                matched = std::make_shared<settlements::matched_report>(std::move(matched))] {
    auto& file = files_[index];
    if (file.status != file_status::answered)
      return;
    file.status = file_status::reconciled;
    for (const auto& entry : matched->postings)
      world_.db().post(entry);
    for (const auto& settled : matched->settled)
      move(settled.operation, settlement_status::settled);
    for (const auto& exception : matched->exceptions)
      if (exception.operation)
        items_.at(item_of_.at(*exception.operation)).before_a_person = true;
  });
}

/// An operator has the refused file's batches submitted again, in another file.
void settlement::resubmit_later(std::size_t index) {
  world_.in_world(resubmitted_after, [this, index] {
    const auto shard = files_[index].shard;
    const auto& row = world_.db().shard(shard);
    const auto found = world_.node(row.owner).shards.find(shard);
    if (found == world_.node(row.owner).shards.end())
      return resubmit_later(index);
    const auto owner = found->second;
    owner->writer().run(shard, owner->epoch(),
                        {[this, index] {
                           for (auto& one : batches_)
                             if (one.file == index)
                               one.file = none;
                         },
                         [this, index, me = owner->weak_from_this()](bool committed) {
                           const auto self = me.lock();
                           if (!committed)
                             resubmit_later(index);
                           else if (self)
                             drive(*self);
                         }});
  });
}

// -- the end
// ------------------------------------------------------------------------------------------------

bool settlement::is_quiet() const {
  return std::ranges::all_of(files_, [&](const auto& file) {
    return !is_open(file.status) || acquirer_.is_late_with(file.id.text());
  });
}

bool settlement::is_done() const {
  const bool all_filed = std::ranges::all_of(batches_, [&](const batch& one) {
    return one.file != none && files_[one.file].status == file_status::reconciled;
  });
  return all_filed && std::ranges::all_of(items_, [](const item& one) {
           switch (one.view.status) {
             case settlement_status::none: return false;
             case settlement_status::batched: return one.before_a_person;
             case settlement_status::settled:
             case settlement_status::rejected: return true;
           }
           return false;
         });
}

std::string settlement::disagreement() const {
  const auto& sums = world_.db().books().sums();
  const auto sum = [&](account_kind kind) { return sums[static_cast<std::size_t>(kind)]; };
  std::int64_t owed = 0;
  for (const auto& one : items_)
    if (one.view.status == settlement_status::none
        || one.view.status == settlement_status::batched)
      owed += signed_amount(one.view);
  if (sum(account_kind::acquirer_receivable) != owed)
    return "the acquirer's receivable is not the sum of what is not settled yet";
  std::int64_t paid = 0;
  for (const auto& file : files_)
    if (file.status == file_status::reconciled)
      paid += acquirer_.paid(file.id.text());
  if (sum(account_kind::acquirer_cash) != paid)
    return "the acquirer has paid another amount than the ledger says";
  return {};
}

} // namespace holdfast::simulation
