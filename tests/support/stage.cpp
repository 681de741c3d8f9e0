#include "tests/support/stage.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/supervisor/actor.hpp"
#include "actors/system_settings.hpp"
#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "runtime/node/payment_replay.hpp"
#include "tests/support/gated_storage.hpp"

#include <boost/json.hpp>
#include <caf/actor_system.hpp>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <random>
#include <stdexcept>

namespace holdfast::test {

namespace {

constexpr const char* gateway_name = "scripted";
constexpr const char* acquirer_name = "acquirer";
/// For what takes milliseconds: a busy machine must not fail a test.
constexpr std::chrono::seconds patience{60};

std::uint64_t random_number() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source();
}

/// Blocks for the answer of a storage call.
template <class T, class Call>
T wait_for_answer(Call call) {
  auto answered = std::make_shared<std::promise<expected<T>>>();
  auto answer = answered->get_future();
  call([answered](expected<T> result) { answered->set_value(std::move(result)); });
  if (answer.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("storage did not answer in time");
  return answer.get().value();
}

/// A script may well have call after call fail; that is no reason to make none.
gateways::gate_rules never_shut() {
  gateways::gate_rules rules;
  rules.breaker.min_calls = 1'000'000;
  return rules;
}

/// Chooses among a shard's children, counted from their end: its payments, however many they
/// are, then its merchants, then its reconciler.
constexpr std::uint64_t last_but(std::uint64_t others) {
  // A multiple of every number of children that a stage ever has.
  constexpr std::uint64_t multiple = [] {
    std::uint64_t all = 1;
    for (std::uint64_t count = 2; count <= 40; ++count)
      all = std::lcm(all, count);
    return all;
  }();
  return multiple - 1 - others;
}

/// What the actors wrote for people.
class stage_log {
public:
  void write(actors::severity level, const std::string& line) {
    std::unique_lock guard{mutex_};
    lines_.emplace_back(level, line);
  }

  [[nodiscard]] std::size_t lines_that_begin(std::string_view start) const {
    std::unique_lock guard{mutex_};
    return static_cast<std::size_t>(std::ranges::count_if(
      lines_, [&](const auto& line) { return line.second.starts_with(start); }));
  }

  [[nodiscard]] std::vector<std::string> errors() const {
    std::unique_lock guard{mutex_};
    std::vector<std::string> found;
    for (const auto& [level, line] : lines_)
      if (level == actors::severity::error)
        found.push_back(line);
    return found;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::pair<actors::severity, std::string>> lines_;
};

std::unique_ptr<storage::database> open_fresh(const std::string& url) {
  storage::migrate(url, {"stage", 1, {}}).value();
  storage::database_options options;
  options.url = url;
  options.cluster = "stage";
  options.shards = 1;
  options.node = "stage";
  return storage::open_database(options).value();
}

} // namespace

payments::policy quick_rules() {
  payments::policy rules;
  rules.answer_due = milliseconds{300};
  rules.retry_min = milliseconds{20};
  rules.retry_max = milliseconds{200};
  rules.settle_time = milliseconds{400};
  return rules;
}

void wait_until(const char* what, const std::function<bool()>& condition) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock guard{mutex};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(std::string{"waited in vain: "} + what);
    never.wait_for(guard, std::chrono::milliseconds{5});
  }
}

merchants::settlement_terms distant_cutoff(const std::string& zone) {
  using std::chrono::hours;
  const auto now = wall_clock_now();
  merchants::settlement_terms terms;
  terms.zone = zone;
  for (terms.cutoff = {}; terms.cutoff < hours{24}; terms.cutoff += hours{1})
    if (const auto left = merchants::next_cutoff(terms, now) - now;
        left > hours{11} && left < hours{13})
      return terms;
  throw std::logic_error("a day has a cut-off for every hour");
}

struct stage::parts {
  explicit parts(std::unique_ptr<storage::database> opened)
    : database(std::move(opened)),
      journal(database->journal(), way),
      store(database->store(), way),
      settlement(database->settlement(), way) {}

  actors::system_settings settings;
  stage_log log;
  gate way;
  std::unique_ptr<storage::database> database;
  gated_journal journal;
  gated_store store;
  gated_settlement settlement;
  actors::environment_ptr env;
  std::unique_ptr<caf::actor_system> system;
  caf::actor supervisor;
  std::unique_ptr<storage::lease_keeper> leases;
};

stage::stage(const std::string& url, stage_options options)
  : gateway_(std::make_shared<scripted_gateway>(std::move(options.gateway))),
    acquirer_(std::make_shared<scripted_acquirer>(acquirer_name, std::move(options.acquirer))),
    parts_(std::make_unique<parts>(open_fresh(url))) {
  parts_->env = std::make_shared<actors::environment>();
  auto& env = *parts_->env;
  env.journal = &parts_->journal;
  env.store = &parts_->store;
  env.settlement = &parts_->settlement;
  env.now = [this] { return now(); };
  env.random = random_number;
  env.log = [log = &parts_->log](actors::severity level, const std::string& line) {
    log->write(level, line);
  };
  env.later = [](milliseconds, const std::function<void()>&) {};
  env.rules_of = [rules = options.rules](const std::string&) { return rules; };
  env.terms = std::move(options.terms);
  env.layout = shard_layout{{shard_range{}}};
  env.gauges.push_back(std::make_unique<actors::shard_gauges>());
  start_actors();
  open_account();
  wait_until_serving();
}

stage::stage(const std::string& url, scripted_gateway::script script, payments::policy rules)
  : stage(url, stage_options{.gateway = std::move(script), .rules = std::move(rules)}) {}

void stage::start_actors() {
  auto& all = *parts_;
  all.system = std::make_unique<caf::actor_system>(all.settings);
  actors::supervisor_plan plan;
  plan.env = all.env;
  plan.gateways.push_back({all.env,
                           gateway_name,
                           gateway_,
                           std::make_shared<actors::gateway_board>(never_shut()),
                           {64, milliseconds{2'000}}});
  plan.acquirers.push_back({acquirer_name, acquirer_, milliseconds{2'000}});
  plan.reacquire = [this](shard_number shard) { parts_->leases->reacquire(shard); };
  plan.released = [this](shard_number shard, epoch_number epoch) {
    parts_->leases->released(shard, epoch);
    released_ = true;
  };
  all.supervisor = actors::spawn_supervisor(*all.system, std::move(plan));
  storage::lease_events events;
  events.acquired = [to = all.supervisor](storage::acquired_shard got) {
    actors::tell(to, actors::shard_acquired{std::move(got)});
  };
  events.lost = [to = all.supervisor](shard_number shard, epoch_number epoch) {
    actors::tell(to, actors::shard_lost{shard, epoch, "lost"});
  };
  events.give_up = [to = all.supervisor](shard_number shard, epoch_number epoch) {
    actors::tell(to, actors::give_up_shard{shard, epoch});
  };
  all.leases = all.database->keep_leases(std::move(events));
  all.leases->want({shard_number{0}});
}

void stage::begin_hand_over() {
  released_ = false;
  parts_->leases->want({});
  wait_until("the shard drains", [&] { return parts_->env->peers.shard({0}) == nullptr; });
}

caf::actor stage::shard() const {
  return parts_->env->peers.shard({0});
}

bool stage::is_handed_over() const {
  return released_;
}

void stage::take_over() {
  wait_until("the shard is released", [&] { return is_handed_over(); });
  parts_->leases->want({shard_number{0}});
  wait_until_serving();
}

void stage::open_account() {
  storage::merchant_row row;
  row.id = merchant_id::make(wall_clock_now(), shard_number{0}, random_number());
  row.name = "Stage";
  row.unit = currency::parse("EUR").value();
  row.fee_bps = fee_bps;
  row.created_at = wall_clock_now();
  merchant_ = row.id;
  static_cast<void>(wait_for_answer<storage::merchant_row>(
    [&](auto done) { parts_->database->store().create_merchant(row, done); }));
}

stage::~stage() {
  auto& all = *parts_;
  all.way.open();
  auto stopped = std::make_shared<std::promise<void>>();
  auto finished = stopped->get_future();
  actors::tell(all.supervisor, actors::shut_down{std::make_shared<std::function<void()>>(
                                 [stopped] { stopped->set_value(); })});
  finished.wait_for(patience);
  all.leases->release_all();
  all.leases.reset();
  all.supervisor = nullptr;
  all.system->await_all_actors_done();
  all.database.reset();
  all.system.reset();
}

gate& stage::storage_gate() noexcept {
  return parts_->way;
}

void stage::wait_until_serving() {
  wait_until("the shard serves", [&] {
    return parts_->env->gauge({0}).serving.load() && parts_->env->peers.shard({0}) != nullptr;
  });
}

std::future<api_reply> stage::submit(std::string key, merchant_action action, milliseconds wait,
                                     std::optional<api_reply> refusal_if_new) {
  merchant_command command;
  command.request_id = "test";
  command.merchant = merchant_;
  command.request = sha256(key + std::to_string(action.index()));
  command.idempotency_key = std::move(key);
  command.wait = wait;
  command.action = std::move(action);
  command.refusal_if_new = std::move(refusal_if_new);
  auto answered = std::make_shared<std::promise<api_reply>>();
  auto answer = answered->get_future();
  auto promise = std::make_shared<actors::reply_promise>(
    [answered](api_reply reply) { answered->set_value(std::move(reply)); }, "test");
  actors::tell(parts_->env->peers.shard({0}),
               actors::submit{std::move(command), std::move(promise)});
  return answer;
}

std::future<api_reply> stage::notify(webhook_notice notice) {
  notice.gateway = gateway_name;
  auto answered = std::make_shared<std::promise<api_reply>>();
  auto answer = answered->get_future();
  auto promise = std::make_shared<actors::reply_promise>(
    [answered](api_reply reply) { answered->set_value(std::move(reply)); }, "test");
  // Without an owner the promise goes unanswered, which is a 503.
  if (const auto owner = parts_->env->peers.shard({0}))
    actors::tell(owner, actors::deliver_webhook{std::move(notice), std::move(promise)});
  return answer;
}

merchant_action stage::authorize(std::int64_t amount, capture_mode mode) const {
  create_payment order;
  order.total = {minor_units{amount}, currency::parse("EUR").value()};
  order.mode = mode;
  order.token = "tok_visa";
  order.path.gateways = {gateway_name};
  order.path.acquirer = acquirer_name;
  return order;
}

api_reply stage::insist(const std::string& key, const merchant_action& action) {
  api_reply reply;
  wait_until("the outcome is known", [&] {
    reply = submit(key, action, milliseconds{500}).get();
    const bool in_progress =
      reply.status == 409 && reply.body.find("request_in_progress") != std::string::npos;
    return reply.status != 503 && reply.status != 202 && !in_progress;
  });
  return reply;
}

void stage::kill_payment() {
  // The shard's first victims are its payments; a stage has one at a time.
  actors::tell(parts_->env->peers.shard({0}), actors::kill_one{0});
}

void stage::kill_gateway() {
  caf::anon_send_exit(parts_->env->peers.gateway(gateway_name), caf::exit_reason::kill);
}

void stage::kill_shard() {
  parts_->env->gauge({0}).serving.store(false);
  caf::anon_send_exit(parts_->env->peers.shard({0}), caf::exit_reason::kill);
  wait_until_serving();
}

void stage::kill_and_wait(std::string_view obituary, const std::function<void()>& kill) {
  const auto dead_before = parts_->log.lines_that_begin(obituary);
  kill();
  wait_until("the actor is dead",
             [&] { return parts_->log.lines_that_begin(obituary) > dead_before; });
}

void stage::kill_merchant() {
  kill_and_wait("the actor of merchant", [this] {
    actors::tell(parts_->env->peers.shard({0}), actors::kill_one{last_but(1)});
  });
}

void stage::kill_reconciler() {
  kill_and_wait("the reconciler of shard", [this] {
    actors::tell(parts_->env->peers.shard({0}), actors::kill_one{last_but(0)});
  });
}

void stage::kill_acquirer() {
  kill_and_wait("the actor of acquirer", [this] {
    caf::anon_send_exit(parts_->env->peers.acquirer(acquirer_name), caf::exit_reason::kill);
  });
}

timestamp stage::now() const {
  return wall_clock_now() + milliseconds{ahead_ms_.load()};
}

void stage::advance_clock(milliseconds by) {
  ahead_ms_ += by.count();
}

void stage::pass_cutoff() {
  const auto left = merchants::next_cutoff(parts_->env->terms, now()) - now();
  advance_clock(std::chrono::ceil<milliseconds>(left) + std::chrono::minutes{1});
}

void stage::refuse_next_unit() {
  parts_->journal.refuse_next_unit();
}

void stage::end_writes_as(std::optional<storage::write_result::kind> outcome) {
  parts_->journal.end_writes_as(outcome);
}

/// A look begins with the clock and ends with a sweep, at most one a second. The first sweep
/// from now on may belong to a look that began before; the second doesn't.
void stage::wait_for_look() {
  for (int sweep = 0; sweep < 2; ++sweep) {
    const auto before = storage_gate().crossed(door::due_read);
    advance_clock(milliseconds{limits::shard_sweep_ms});
    wait_until("the shard looks at its clock",
               [&] { return storage_gate().crossed(door::due_read) > before; });
  }
}

std::size_t stage::live_payments() const {
  return parts_->env->gauge({0}).live_payments.load();
}

std::vector<std::string> stage::errors() const {
  return parts_->log.errors();
}

std::optional<payment> stage::stored(const payment_id& id) {
  auto found = wait_for_answer<std::optional<storage::payment_view>>(
    [&](auto done) { parts_->database->store().find_payment(id, done); });
  if (!found)
    return std::nullopt;
  return found->row;
}

payment stage::wait_for(const payment_id& id,
                        const std::function<bool(const payment&)>& wanted) {
  std::optional<payment> last;
  wait_until("the payment is as wanted", [&] {
    last = stored(id);
    return last && wanted(*last);
  });
  return *last;
}

storage::timeline_view stage::timeline(const payment_id& id) {
  return wait_for_answer<std::optional<storage::timeline_view>>(
           [&](auto done) { parts_->database->store().timeline(id, done); })
    .value();
}

std::vector<storage::batch_view> stage::batches() {
  return wait_for_answer<storage::slice<storage::batch_view>>([&](auto done) {
           parts_->database->store().list_batches(merchant_, {limits::list_limit_max, {}},
                                                  done);
         })
    .rows;
}

minor_units stage::balance(account_kind kind) {
  const auto balances = wait_for_answer<std::vector<storage::balance_view>>(
    [&](auto done) { parts_->database->store().merchant_balances(merchant_, done); });
  for (const auto& one : balances)
    if (one.where.kind == kind)
      return -one.balance;
  return {};
}

expected<exception_id> stage::order(desk_order what) {
  auto answered = std::make_shared<std::promise<expected<exception_id>>>();
  auto answer = answered->get_future();
  actors::desk_call call{std::move(what), std::make_shared<desk_callback>(
                                            [answered](expected<exception_id> outcome) {
                                              answered->set_value(std::move(outcome));
                                            })};
  actors::tell(parts_->env->peers.shard({0}), std::move(call));
  if (answer.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("the order was not answered in time");
  return answer.get();
}

std::vector<storage::dead_letter_view> stage::dead_letters(const std::string& status) {
  return wait_for_answer<storage::slice<storage::dead_letter_view>>(
           [&](auto done) { parts_->env->store->list_dead_letters(status, {}, done); })
    .rows;
}

storage::ledger_proof stage::prove() {
  return wait_for_answer<storage::ledger_proof>([&](auto done) {
    parts_->database->store().verify_ledger(
      runtime::replay_payment, [](double) {}, done);
  });
}

payment_id id_in(const api_reply& reply) {
  const auto document = boost::json::parse(reply.body);
  // A problem document of a declined payment holds the payment.
  const auto& subject = reply.status >= 400 ? document.at("payment") : document;
  return payment_id::parse(std::string_view{subject.at("id").as_string()}).value();
}

} // namespace holdfast::test
