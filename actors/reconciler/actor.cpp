#include "actors/reconciler/actor.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/reconciler/core.hpp"
#include "messages/assert.hpp"
#include "messages/digest.hpp"
#include "messages/fault_point.hpp"
#include "messages/limits.hpp"
#include "messages/printable.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <optional>
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
      [this](settlement_tick tick) { on_tick(tick); },
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

  void on_tick(const settlement_tick& tick) {
    if (tick.number != tick_ || !tick_at_)
      return; // An earlier look was asked for since.
    const auto due = *std::exchange(tick_at_, std::nullopt);
    if (env_->now() < due)
      return look_again_at(due);
    if (stage_ == stage::resting)
      begin_round();
    else if (stage_ == stage::acquirer && env_->now() >= answer_due_)
      // The acquirer's actor died with our call: as good as no answer.
      on_reply(*std::make_unique<acquirer_reply>(acquirer_reply{ticket_, {}}));
    else if (stage_ == stage::acquirer)
      look_again_at(answer_due_);
  }

  void begin_round() {
    again_ = false;
    waiting_.clear();
    forget_content();
    load_unfiled();
  }

  void load_unfiled() {
    stage_ = stage::unfiled;
    env_->settlement->unfiled_batches(number_, limits::file_items_max, post<unfiled_loaded>());
  }

  void on_unfiled(unfiled_loaded& message) {
    if (!message.batches)
      return pause(message.batches.error());
    has_unfiled_ = !message.batches->empty();
    if (!has_unfiled_)
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
    asked_at_ = env_->now();
    env_->settlement->open_files(number_, asked_at_, post<files_loaded>());
  }

  /// Files that are stored come before the storing of more: the acquirer works on them
  /// meanwhile.
  void on_files(files_loaded& message) {
    if (!message.files)
      return pause(message.files.error());
    // What has come due since they were asked for has no content with it.
    auto due = std::ranges::find_if(
      *message.files, [this](const auto& file) { return file.next_try_at <= asked_at_; });
    if (due != message.files->end()) {
      file_ = std::move(*due);
      return ask_acquirer();
    }
    if (has_unfiled_)
      return load_unfiled();
    end_round(*message.files);
  }

  void end_round(const std::vector<storage::settlement_file>& open) {
    stage_ = stage::resting;
    forget_content();
    // What was ordered during this round may be in no file yet.
    if (again_)
      return begin_round();
    tell_waiters(
      std::ranges::all_of(open, [this](const auto& file) { return is_parked(file); }));
    if (open.empty())
      return;
    look_again_at(
      std::ranges::min(open, {}, &storage::settlement_file::next_try_at).next_try_at);
  }

  /// A person has been told, and nothing is expected soon: nobody need wait for it.
  bool is_parked(const storage::settlement_file& file) const {
    const auto now = env_->now();
    return file.next_try_at - now > milliseconds{limits::settlement_retry_ms_max}
           || now - file.status_since >= env_->terms.answer_deadline;
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
        request.content = std::move(file_.content);
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
        env_->log(severity::error,
                  "acquirer " + file_.acquirer + " refused file " + file_.id.text());
        return refused_whole();
      case acquirer_verdict::done: break;
    }
    if (file_.status == file_status::stored) {
      fault_point("reconciler.after_submit");
      return mark(file_status::submitted, 0, env_->now());
    }
    if (content_of_ == file_.id)
      return apply_answer();
    stage_ = stage::content;
    env_->settlement->file_content(file_.id, post<content_loaded>());
  }

  /// Nothing of it was taken. Its batches stay as they are until a person says so.
  void refused_whole() {
    auto made = exception_of_file("file_refused", file_.id.text());
    made.raw_line = printable(answer_.body, limits::exception_raw_bytes_max);
    made.detail =
      "The acquirer took none of the file. Resubmit its batches once the reason is "
      "gone; they go into a new file.";
    ++exceptions_;
    mark(file_status::refused, file_.tries + 1, env_->now(), {std::move(made)});
  }

  /// Asks on, ever more slowly; past the deadline a person is told.
  void try_later() {
    const auto now = env_->now();
    if (now - file_.status_since >= env_->terms.answer_deadline)
      return mark(file_.status, file_.tries + 1, now + env_->terms.silent_retry, {silence()});
    const auto doublings = std::min<std::uint32_t>(file_.tries, 16);
    const auto wait =
      std::min(limits::settlement_retry_ms_min << doublings, limits::settlement_retry_ms_max);
    mark(file_.status, file_.tries + 1, now + milliseconds{wait});
  }

  new_exception silence() const {
    const auto waits_for = static_cast<unsigned>(file_.status);
    auto made =
      exception_of_file("acquirer_silent", file_.id.text() + ':' + std::to_string(waits_for));
    const std::string what = file_.status == file_status::stored      ? "acknowledge the file"
                             : file_.status == file_status::submitted ? "answer its items"
                                                                      : "report on it";
    made.detail = "The acquirer did not " + what
                  + " in time. It is asked on; an answer is applied whenever it comes.";
    return made;
  }

  new_exception exception_of_file(std::string kind, const std::string& subject) const {
    new_exception made;
    made.kind = std::move(kind);
    made.fingerprint = made.kind + ':' + subject;
    made.source = file_.acquirer;
    made.external_ref = file_.id.text();
    return made;
  }

  void on_content(content_loaded& message) {
    if (!message.batches)
      return pause(message.batches.error());
    content_ = std::move(*message.batches);
    content_of_ = file_.id;
    apply_answer();
  }

  void apply_answer() {
    if (file_.status == file_status::submitted)
      apply_results();
    else
      apply_report();
  }

  void forget_content() {
    content_of_.reset();
    content_ = {};
  }

  void apply_results() {
    fault_point("reconciler.after_results");
    auto judged = settlements::judge_results(content_, answer_.results);
    if (!judged)
      return distrust(judged.error());
    // What the report is to be matched with is what was read, unless items leave.
    if (judged->rejected + judged->deferred > 0)
      forget_content();
    storage::apply_results_request request;
    request.file = file_.id;
    request.results = std::move(judged->results);
    request.postings = std::move(judged->postings);
    request.exceptions = std::move(judged->exceptions);
    request.raw = std::move(answer_.body);
    request.now = env_->now();
    request.next_try_at = request.now;
    request.random_seed = env_->random();
    exceptions_ += static_cast<std::uint32_t>(request.exceptions.size());
    waiting_ = std::move(judged->waiting);
    stage_ = stage::writing;
    run(storage::apply_results(std::move(request), post<settlement_written>()));
  }

  void apply_report() {
    fault_point("reconciler.after_report");
    auto report = settlements::parse_report(answer_.body, file_.id);
    if (!report)
      return refuse_report(report.error());
    auto matched = settlements::match_report(file_.id, content_, *report);
    forget_content();
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

  /// Nothing of a report that contradicts itself is applied. A person is told, with the report
  /// kept, and a better one is asked for.
  void refuse_report(const error& failure) {
    env_->log(severity::error, "acquirer " + file_.acquirer + ", file " + file_.id.text() + ": "
                                 + failure.detail);
    storage::refuse_report_request request;
    request.file = file_.id;
    request.exception =
      settlements::malformed_report(file_.id, file_.acquirer, answer_.body, failure);
    request.raw = std::move(answer_.body);
    request.tries = file_.tries + 1;
    request.now = env_->now();
    request.next_try_at = request.now + env_->terms.silent_retry;
    request.random_seed = env_->random();
    ++exceptions_;
    stage_ = stage::writing;
    run(storage::refuse_report(std::move(request), post<settlement_written>()));
  }

  /// Results that contradict themselves or our file decide nothing: they are asked for again.
  void distrust(const error& failure) {
    env_->log(severity::error, "acquirer " + file_.acquirer + ", file " + file_.id.text() + ": "
                                 + failure.detail);
    try_later();
  }

  void mark(file_status status, std::uint32_t tries, timestamp next,
            std::vector<new_exception> exceptions = {}) {
    storage::mark_file_request request;
    request.file = file_.id;
    request.acquirer = file_.acquirer;
    request.status = status;
    request.tries = tries;
    request.next_try_at = next;
    if (status == file_status::refused)
      request.note = printable(answer_.body, limits::file_note_bytes_max);
    request.now = env_->now();
    request.exceptions = std::move(exceptions);
    request.random_seed = env_->random();
    stage_ = stage::writing;
    run(storage::mark_file(std::move(request), post<settlement_written>()));
  }

  void on_written(settlement_written& message) {
    if (!message.result)
      return on_write_failed(message.result.error());
    refusals_.erase(file_.id);
    // Their merchants may have no actor, and then nobody would close a batch for them.
    for (const auto& merchant : std::exchange(waiting_, {}))
      tell(shard_, item_ready{merchant, env_->now()});
    if (stage_ == stage::storing)
      ++files_;
    load_files();
  }

  /// The database can't take an answer: trying for ever would not help, so a person is asked.
  void on_write_failed(const error& failure) {
    const bool of_answer = stage_ == stage::writing && failure.code != errc::not_owner
                           && failure.code != errc::unknown_outcome
                           && failure.code != errc::unavailable;
    if (!of_answer || ++refusals_[file_.id] < limits::answer_refusals_max)
      return pause(failure);
    refusals_.erase(file_.id);
    tell(shard_, dead_letter_found{
                   {"settlement_answer", file_.id.text(), failure.detail,
                    std::string{"the file was "}
                      + (file_.status == file_status::answered ? "waiting for its report"
                                                               : "waiting for its results")}});
    mark(file_.status, file_.tries + 1, env_->now() + env_->terms.silent_retry);
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
      order.done->deliver(std::move(outcome));
      return true;
    });
    if (waiters_.empty())
      files_ = reconciled_ = exceptions_ = 0;
  }

  /// One timer counts; a later look than it is asked for costs nothing. The clock may be set:
  /// it is looked at now and then on the way.
  void look_again_at(timestamp at) {
    if (tick_at_ && *tick_at_ <= at)
      return;
    tick_at_ = at;
    const auto left = std::chrono::ceil<milliseconds>(at - env_->now());
    const auto pause = std::clamp(left, milliseconds{limits::settlement_look_ms_min},
                                  milliseconds{limits::settlement_retry_ms_min});
    tell_self_later(this, pause, settlement_tick{++tick_});
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
  bool has_unfiled_ = false;         ///< When last looked, there were some.
  timestamp asked_at_;               ///< when the open files were asked for
  std::uint64_t tick_ = 0;           ///< the timer that counts …
  std::optional<timestamp> tick_at_; ///< … and what it is set to
  storage::settlement_file file_;
  acquirers::acquirer_answer answer_;
  /// Of the file whose results came last: more often than not its report comes next.
  std::vector<storage::batch_content> content_;
  std::optional<file_id> content_of_;
  std::uint64_t ticket_ = 0;
  timestamp answer_due_;
  std::uint32_t files_ = 0;
  std::uint32_t reconciled_ = 0;
  std::uint32_t exceptions_ = 0;
  std::vector<merchant_id> waiting_; ///< as in settlements::answered_items
  std::vector<drive_settlement> waiters_;
  std::map<file_id, std::uint32_t> refusals_; ///< of answers, by the database, in a row
};

} // namespace

caf::actor spawn_reconciler(caf::scheduled_actor& parent, environment_ptr env,
                            shard_number number, epoch_number epoch) {
  return spawn_watched<reconciler_actor>(parent, std::move(env),
                                         caf::actor_cast<caf::actor>(&parent), number, epoch);
}

} // namespace holdfast::actors
