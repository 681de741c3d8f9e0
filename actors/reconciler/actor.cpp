#include "actors/reconciler/actor.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/reconciler/core.hpp"
#include "messages/assert.hpp"
#include "messages/digest.hpp"
#include "messages/fault_point.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace holdfast::actors {

namespace {

using acquirers::acquirer_verb;
using acquirers::acquirer_verdict;
using storage::file_status;

class reconciler_actor : public caf::event_based_actor {
public:
  reconciler_actor(caf::actor_config& cfg, environment_ptr env, caf::actor shard,
                   shard_number number, epoch_number epoch)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      shard_(std::move(shard)),
      number_(number),
      epoch_(epoch) {}

  caf::behavior make_behavior() override {
    die_with(this, shard_);
    begin_round();
    return {
      [this](drive_settlement& order) { on_drive(order); },
      [this](settlement_tick) { on_tick(); },
      [this](unfiled_loaded& m) { on_unfiled(m); },
      [this](files_loaded& m) { on_files(m); },
      [this](acquirer_reply& m) { on_reply(m); },
      [this](content_loaded& m) { on_content(m); },
      [this](settlement_written& m) { on_written(m); },
    };
  }

  const char* name() const override { return "reconciler"; }

  void on_exit() override {
    shard_ = nullptr;
    waiters_.clear();
  }

private:
  /// What a round is waiting for.
  enum class stage : std::uint8_t {
    resting,
    unfiled,
    storing,
    files,
    acquirer,
    content,
    writing
  };

  /// A storage callback that comes back as `Message`.
  template <class Message>
  auto post() {
    return [me = self_handle()](auto result) { tell(me, Message{std::move(result)}); };
  }

  caf::actor self_handle() { return caf::actor_cast<caf::actor>(this); }

  // -- rounds: file what is closed, then move every open file one step
  // --------------------------------

  void on_drive(drive_settlement& order) {
    if (order.done)
      waiters_.push_back(std::move(order));
    if (stage_ == stage::resting)
      begin_round();
    else
      again_ = true;
  }

  void on_tick() {
    tick_set_ = false;
    if (stage_ == stage::resting)
      begin_round();
    else if (stage_ == stage::acquirer && env_->now() >= answer_due_)
      // The acquirer's actor died with our call: as good as no answer.
      on_reply(*std::make_unique<acquirer_reply>(acquirer_reply{ticket_, {}}));
    else
      look_again_at(env_->now() + milliseconds{limits::settlement_retry_ms_min});
  }

  void begin_round() {
    again_ = false;
    load_unfiled();
  }

  void load_unfiled() {
    stage_ = stage::unfiled;
    env_->settlement->unfiled_batches(number_, limits::file_items_max, post<unfiled_loaded>());
  }

  void on_unfiled(unfiled_loaded& message) {
    if (!message.batches)
      return pause(message.batches.error());
    if (message.batches->empty())
      return load_files();
    store_file(std::move(*message.batches));
  }

  /// One file an acquirer; what other acquirers' batches there are comes in the next turn.
  void store_file(std::vector<storage::batch_content> batches) {
    const auto acquirer = batches.front().batch.acquirer;
    std::erase_if(batches, [&](const auto& one) { return one.batch.acquirer != acquirer; });
    storage::store_file_request request;
    const auto now = env_->now();
    auto& file = request.file;
    file.id = file_id::make(now, number_, env_->random());
    file.shard = number_;
    file.acquirer = acquirer;
    file.content = settlements::write_file(file.id, acquirer, now, batches);
    file.sha256 = sha256_hex(file.content);
    file.next_try_at = now;
    file.created_at = now;
    request.now = now;
    for (const auto& one : batches) {
      request.batches.push_back(one.batch.id);
      request.items += static_cast<std::uint32_t>(one.items.size());
    }
    stage_ = stage::storing;
    run(storage::store_file(std::move(request), post<settlement_written>()));
  }

  void load_files() {
    stage_ = stage::files;
    env_->settlement->open_files(number_, post<files_loaded>());
  }

  void on_files(files_loaded& message) {
    if (!message.files)
      return pause(message.files.error());
    const auto now = env_->now();
    auto due = std::ranges::find_if(
      *message.files, [now](const auto& file) { return file.next_try_at <= now; });
    if (due != message.files->end()) {
      file_ = std::move(*due);
      return ask_acquirer();
    }
    end_round(*message.files);
  }

  void end_round(const std::vector<storage::settlement_file>& open) {
    stage_ = stage::resting;
    tell_waiters(open.empty());
    if (again_)
      return begin_round();
    if (open.empty())
      return;
    look_again_at(
      std::ranges::min(open, {}, &storage::settlement_file::next_try_at).next_try_at);
  }

  // -- one step of one file
  // ---------------------------------------------------------------------------

  void ask_acquirer() {
    stage_ = stage::acquirer;
    acquirers::acquirer_request request;
    request.file = file_.id.text();
    switch (file_.status) {
      case file_status::stored:
        fault_point("reconciler.before_submit");
        request.verb = acquirer_verb::submit_file;
        request.content = file_.content;
        request.sha256 = file_.sha256;
        break;
      case file_status::submitted: request.verb = acquirer_verb::fetch_results; break;
      case file_status::answered: request.verb = acquirer_verb::fetch_report; break;
      case file_status::reconciled:
      case file_status::refused: HF_ASSERT(false);
    }
    ++ticket_;
    answer_due_ = env_->now() + milliseconds{limits::acquirer_answer_ms_max};
    look_again_at(answer_due_);
    auto who = env_->peers.acquirer(file_.acquirer);
    tell(who, acquirer_call{std::move(request), ticket_, self_handle()});
  }

  void on_reply(acquirer_reply& message) {
    if (stage_ != stage::acquirer || message.ticket != ticket_)
      return;
    answer_ = std::move(message.answer);
    switch (answer_.verdict) {
      case acquirer_verdict::pending:
      case acquirer_verdict::unknown: return try_later();
      case acquirer_verdict::refused:
        env_->log(severity::error, "acquirer " + file_.acquirer + " refused file "
                                     + file_.id.text() + ": " + answer_.body.substr(0, 500));
        return mark(file_status::refused, file_.tries + 1, env_->now(), answer_.body);
      case acquirer_verdict::done: break;
    }
    if (file_.status == file_status::stored) {
      fault_point("reconciler.after_submit");
      return mark(file_status::submitted, 0, env_->now(), {});
    }
    stage_ = stage::content;
    env_->settlement->file_content(file_.id, post<content_loaded>());
  }

  void try_later() {
    const auto doublings = std::min<std::uint32_t>(file_.tries, 16);
    const auto wait =
      std::min(limits::settlement_retry_ms_min << doublings, limits::settlement_retry_ms_max);
    mark(file_.status, file_.tries + 1, env_->now() + milliseconds{wait}, {});
  }

  void on_content(content_loaded& message) {
    if (!message.batches)
      return pause(message.batches.error());
    if (file_.status == file_status::submitted)
      apply_results(*message.batches);
    else
      apply_report(*message.batches);
  }

  void apply_results(const std::vector<storage::batch_content>& batches) {
    fault_point("reconciler.after_results");
    auto judged = settlements::judge_results(batches, answer_.results);
    if (!judged)
      return distrust(judged.error());
    storage::apply_results_request request;
    request.file = file_.id;
    request.results = std::move(answer_.results);
    request.postings = std::move(judged->postings);
    request.exceptions = std::move(judged->exceptions);
    request.raw = std::move(answer_.body);
    request.now = env_->now();
    request.next_try_at = request.now;
    request.random_seed = env_->random();
    exceptions_ += static_cast<std::uint32_t>(request.exceptions.size());
    stage_ = stage::writing;
    run(storage::apply_results(std::move(request), post<settlement_written>()));
  }

  void apply_report(const std::vector<storage::batch_content>& batches) {
    fault_point("reconciler.after_report");
    auto report = settlements::parse_report(answer_.body, file_.id);
    if (!report)
      return distrust(report.error());
    auto matched = settlements::match_report(file_.id, batches, *report);
    storage::apply_report_request request;
    request.file = file_.id;
    request.settled = std::move(matched.settled);
    request.batches = std::move(matched.batches);
    request.postings = std::move(matched.postings);
    request.exceptions = std::move(matched.exceptions);
    request.raw = std::move(answer_.body);
    request.now = env_->now();
    request.random_seed = env_->random();
    exceptions_ += static_cast<std::uint32_t>(request.exceptions.size());
    reconciled_ += static_cast<std::uint32_t>(request.batches.size());
    stage_ = stage::writing;
    run(storage::apply_report(std::move(request), post<settlement_written>()));
  }

  /// An answer that contradicts itself or our file decides nothing: it is asked for again.
  void distrust(const error& failure) {
    env_->log(severity::error, "acquirer " + file_.acquirer + ", file " + file_.id.text() + ": "
                                 + failure.detail);
    try_later();
  }

  void mark(file_status status, std::uint32_t tries, timestamp next, std::string note) {
    storage::mark_file_request request;
    request.file = file_.id;
    request.status = status;
    request.tries = tries;
    request.next_try_at = next;
    request.note = note.substr(0, limits::file_note_bytes_max);
    request.now = env_->now();
    stage_ = stage::writing;
    run(storage::mark_file(std::move(request), post<settlement_written>()));
  }

  void on_written(settlement_written& message) {
    if (!message.result)
      return pause(message.result.error());
    if (stage_ == stage::storing) {
      ++files_;
      return load_unfiled();
    }
    load_files();
  }

  // -- small change
  // -----------------------------------------------------------------------------------

  /// Storage failed: nothing was decided; the round begins anew after a while. If the shard is
  /// no longer ours, it goes down and takes this actor with it.
  void pause(const error& failure) {
    env_->log(severity::warning, "settlement of shard " + std::to_string(number_.value)
                                   + " waits: " + failure.detail);
    stage_ = stage::resting;
    look_again_at(env_->now() + milliseconds{limits::shard_start_retry_ms});
  }

  void tell_waiters(bool nothing_open) {
    std::erase_if(waiters_, [&](drive_settlement& order) {
      if (order.settle && !nothing_open)
        return false;
      auto outcome = order.so_far;
      outcome.files += files_;
      outcome.reconciled += reconciled_;
      outcome.exceptions += exceptions_;
      (*order.done)(outcome);
      return true;
    });
    if (waiters_.empty())
      files_ = reconciled_ = exceptions_ = 0;
  }

  /// At most one timer is under way; a later look than needed only costs a look.
  void look_again_at(timestamp at) {
    if (tick_set_)
      return;
    tick_set_ = true;
    const auto left = std::chrono::ceil<milliseconds>(at - env_->now());
    const auto pause = std::clamp(left, milliseconds{limits::settlement_look_ms_min},
                                  milliseconds{limits::settlement_retry_ms_min});
    tell_self_later(this, pause, settlement_tick{});
  }

  void run(std::unique_ptr<storage::unit_of_work> work) {
    env_->journal->run(number_, epoch_, std::move(work));
  }

  environment_ptr env_;
  caf::actor shard_;
  shard_number number_;
  epoch_number epoch_;
  stage stage_ = stage::resting;
  bool again_ = false;
  bool tick_set_ = false;
  storage::settlement_file file_;
  acquirers::acquirer_answer answer_;
  std::uint64_t ticket_ = 0;
  timestamp answer_due_;
  std::uint32_t files_ = 0;
  std::uint32_t reconciled_ = 0;
  std::uint32_t exceptions_ = 0;
  std::vector<drive_settlement> waiters_;
};

} // namespace

caf::actor spawn_reconciler(caf::scheduled_actor& parent, environment_ptr env,
                            shard_number number, epoch_number epoch) {
  return spawn_watched<reconciler_actor>(parent, std::move(env),
                                         caf::actor_cast<caf::actor>(&parent), number, epoch);
}

} // namespace holdfast::actors
