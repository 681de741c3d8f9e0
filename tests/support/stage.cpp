#include "tests/support/stage.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "actors/supervisor/actor.hpp"
#include "messages/digest.hpp"
#include "runtime/node/payment_replay.hpp"

#include <boost/json.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>

#include <mutex>
#include <random>
#include <stdexcept>

namespace holdfast::test {

namespace {

constexpr const char* gateway_name = "scripted";
constexpr std::chrono::seconds patience{20};

/// Short times, so that an unknown outcome is found out within a test's patience.
payments::policy quick_rules(const std::string&) {
  payments::policy rules;
  rules.answer_due = milliseconds{300};
  rules.retry_min = milliseconds{20};
  rules.retry_max = milliseconds{200};
  rules.settle_time = milliseconds{400};
  return rules;
}

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

void init_types_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    caf::init_global_meta_objects<caf::id_block::holdfast>();
    caf::core::init_global_meta_objects();
  });
}

class stage_config : public caf::actor_system_config {
public:
  stage_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", 1);
  }
};

} // namespace

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

struct stage::parts {
  stage_config settings;
  std::unique_ptr<storage::database> database;
  actors::environment_ptr env;
  std::unique_ptr<caf::actor_system> system;
  caf::actor supervisor;
  std::unique_ptr<storage::lease_keeper> leases;
};

stage::stage(const std::string& url, scripted_gateway::script script)
  : gateway_(std::make_shared<scripted_gateway>(std::move(script))),
    parts_(std::make_unique<parts>()) {
  init_types_once();
  storage::migrate(url, 1).value();
  storage::database_options options;
  options.url = url;
  options.shards = 1;
  options.node = "stage";
  auto& all = *parts_;
  all.database = storage::open_database(options).value();
  all.env = std::make_shared<actors::environment>();
  auto& env = *all.env;
  env.journal = &all.database->journal();
  env.store = &all.database->store();
  env.settlement = &all.database->settlement();
  env.now = [this] { return wall_clock_now() + milliseconds{ahead_ms_.load()}; };
  env.random = random_number;
  env.log = [](actors::severity, const std::string&) {};
  env.later = [](milliseconds, const std::function<void()>&) {};
  env.rules_of = quick_rules;
  env.shard_count = 1;
  env.gauges.push_back(std::make_unique<actors::shard_gauges>());
  all.system = std::make_unique<caf::actor_system>(all.settings);
  actors::supervisor_plan plan;
  plan.env = all.env;
  plan.gateways.push_back({all.env,
                           gateway_name,
                           gateway_,
                           std::make_shared<actors::gateway_gauges>(),
                           {},
                           milliseconds{2'000},
                           64});
  plan.reacquire = [this](shard_number shard) { parts_->leases->reacquire(shard); };
  all.supervisor = actors::spawn_supervisor(*all.system, std::move(plan));
  all.leases =
    all.database->keep_leases({[to = all.supervisor](storage::acquired_shard got) {
                                 actors::tell(to, actors::shard_acquired{std::move(got)});
                               },
                               [to = all.supervisor](shard_number shard, epoch_number epoch) {
                                 actors::tell(to, actors::shard_lost{shard, epoch, "lost"});
                               }});
  all.leases->want({shard_number{0}});
  storage::merchant_row row;
  row.id = merchant_id::make(wall_clock_now(), shard_number{0}, random_number());
  row.name = "Stage";
  row.unit = currency::parse("EUR").value();
  row.created_at = wall_clock_now();
  merchant_ = row.id;
  static_cast<void>(wait_for_answer<storage::merchant_row>(
    [&](auto done) { env.store->create_merchant(row, done); }));
  wait_until_serving();
}

stage::~stage() {
  auto& all = *parts_;
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

void stage::wait_until_serving() {
  wait_until("the shard serves", [&] {
    return parts_->env->gauge({0}).serving.load() && parts_->env->peers.shard({0}) != nullptr;
  });
}

std::future<api_reply> stage::submit(std::string key, merchant_action action,
                                     milliseconds wait) {
  merchant_command command;
  command.request_id = "test";
  command.merchant = merchant_;
  command.request = sha256(key + std::to_string(action.index()));
  command.idempotency_key = std::move(key);
  command.wait = wait;
  command.action = std::move(action);
  auto answered = std::make_shared<std::promise<api_reply>>();
  auto answer = answered->get_future();
  auto promise = std::make_shared<actors::reply_promise>(
    [answered](api_reply reply) { answered->set_value(std::move(reply)); }, "test");
  actors::tell(parts_->env->peers.shard({0}),
               actors::submit{std::move(command), std::move(promise)});
  return answer;
}

merchant_action stage::authorize(std::int64_t amount, capture_mode mode) const {
  create_payment order;
  order.total = {minor_units{amount}, currency::parse("EUR").value()};
  order.mode = mode;
  order.token = "tok_visa";
  order.path.gateways = {gateway_name};
  order.path.acquirer = "acquirer";
  return order;
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

void stage::advance_clock(milliseconds by) {
  ahead_ms_ += by.count();
}

std::optional<payment> stage::stored(const payment_id& id) {
  auto found = wait_for_answer<std::optional<storage::payment_view>>(
    [&](auto done) { parts_->env->store->find_payment(id, done); });
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

storage::ledger_proof stage::prove() {
  return wait_for_answer<storage::ledger_proof>([&](auto done) {
    parts_->env->store->verify_ledger(
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
