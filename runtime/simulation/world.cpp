#include "runtime/simulation/world.hpp"

#include "messages/assert.hpp"

#include <algorithm>
#include <array>

namespace holdfast::simulation {

using namespace std::chrono_literals;

namespace {

/// Monday 23 November 2026, 12:00 UTC: no run knows what day it really is.
constexpr timestamp world_begins{microseconds{1'795'435'200'000'000}};
/// From when the last fault has struck until everything must have ended.
constexpr microseconds quiet_within = 20min;
/// Then holds lapse and the last batches are settled.
constexpr microseconds last_days = std::chrono::hours{24 * 12};

constexpr std::array units{"EUR", "USD", "JPY"};

currency parse_unit(std::string_view code) {
  const auto parsed = currency::parse(code);
  HF_ASSERT(parsed.has_value());
  return *parsed;
}

} // namespace

world::world(const world_options& options)
  : options_(options),
    random_(options.seed),
    weather_(random_),
    agenda_(world_begins),
    unit_(parse_unit(units[random_.below(units.size())])),
    gateway_count_(static_cast<std::size_t>(random_.between(2, 3))),
    no_state_(std::make_shared<const payment>()),
    trace_(options.trace_of),
    checker_(*this),
    database_(*this, static_cast<std::size_t>(random_.between(1, 4))),
    settlement_((draw_terms(), *this)),
    cluster_(*this, static_cast<std::size_t>(random_.between(1, 3)), database_.shards().size()),
    clients_(*this, options.payments, merchants_.size()) {}

void world::draw_terms() {
  rules_.retry_max = milliseconds{random_.between(2'000, 30'000)};
  rules_.settle_time = milliseconds{random_.between(1'000, 15'000)};
  if (random_.one_in(3))
    rules_.lifetime = milliseconds{random_.between(60'000, 600'000)};
  rules_.after_reversal = random_.one_in(2) ? payments::unknown_outcome::resolve_then_failover
                                            : payments::unknown_outcome::resolve_then_fail;
  auto tables = std::make_shared<payments::policy_tables>();
  tables->retryable_declines.insert("processing_error");
  rules_.tables = std::move(tables);
  gate_rules_.breaker.open_for = milliseconds{random_.between(500, 5'000)};
  admission_rules_.concurrency = static_cast<std::size_t>(random_.one_in(4) ? 8 : 256);
  admission_rules_.patience = rules_.answer_due - 1s;
  keys_in_memory_ = random_.one_in(4) ? 16 : 8'192;
  keys_warm_ = random_.one_in(4) ? 2s : 1h;
  in_flight_max_ = random_.one_in(4) ? 24 : 4'096;
  idle_max_ = random_.one_in(4) ? 4 : 1'024;
  for (std::size_t i = 0; i < gateway_count_; ++i)
    gateways_.emplace_back(*this, static_cast<gateway_number>(i));
  out_until_.resize(gateway_count_);
  const auto shards = database_.shards().size();
  const auto count = static_cast<std::size_t>(random_.between(1, 6));
  for (std::size_t i = 0; i < count; ++i)
    merchants_.push_back(merchant_id::make(
      now(), shard_number{static_cast<std::uint16_t>(i % shards)}, random_.next()));
}

// -- running
// ----------------------------------------------------------------------------------------------

world_outcome world::run() {
  const auto window =
    microseconds{static_cast<std::int64_t>(options_.payments) * random_.between(2'000, 60'000)};
  const auto storm = window + random_.span(10s, 90s);
  cluster_.begin();
  clients_.begin(window);
  look_at_gateways();
  in_world(storm, [this] { weather_.clear_up(); });
  if (run_until_quiet(now() + storm + quiet_within)) {
    checker_.when_quiet();
    run_on(now() + last_days);
    if (!checker_.found() && (!is_quiet() || !settlement_.is_done()))
      blame_what_is_open();
    checker_.at_the_end();
  }
  world_outcome outcome;
  outcome.seed = options_.seed;
  outcome.hash = trace_.hash();
  outcome.steps = steps();
  for (const auto shard : all_shards())
    outcome.payments += database_.payments_of(shard).size();
  outcome.virtual_time = now() - world_begins;
  outcome.faults = weather_.counts();
  outcome.unknowns = unknowns_;
  outcome.violated = checker_.found();
  if (outcome.violated && outcome.violated->payment < subjects_.size())
    outcome.violated_payment = id_of(outcome.violated->payment).text();
  outcome.trace = trace_.lines();
  return outcome;
}

bool world::is_quiet() {
  return !is_stormy() && in_network_ == 0 && clients_.open() == 0 && database_.pending() == 0
         && settlement_.is_quiet() && cluster_.is_calm();
}

/// False: an invariant failed, L among them.
bool world::run_until_quiet(timestamp deadline) {
  while (!is_quiet()) {
    if (agenda_.empty() || agenda_.next_at() > deadline) {
      blame_what_is_open();
      return false;
    }
    agenda_.run_next();
    if (checker_.found())
      return false;
  }
  return true;
}

void world::run_on(timestamp horizon) {
  while (!checker_.found() && !agenda_.empty() && agenda_.next_at() <= horizon)
    agenda_.run_next();
}

/// L: names something that has not come to an end.
void world::blame_what_is_open() {
  for (const auto shard : all_shards())
    for (const auto payment : database_.payments_of(shard))
      if (has_pending_work(*database_.find_payment(payment)->state))
        return checker_.fail('L', "faults have stopped, and a payment does not come to an end",
                             payment);
  if (clients_.open() > 0) {
    const auto client = clients_.some_open();
    return checker_.fail('L', "faults have stopped, and a client gets no definitive answer",
                         client < options_.payments ? clients_.payment_of(client) : no_payment);
  }
  if (!settlement_.is_quiet() || !settlement_.is_done())
    return checker_.fail('L', "faults have stopped, and settlement does not come to an end",
                         no_payment);
  checker_.fail('L', "faults have stopped, and the world does not become quiet", no_payment);
}

// -- gateways
// -----------------------------------------------------------------------------------------------

simulation::gateway& world::gateway_named(const std::string& name) {
  return gateways_[static_cast<std::size_t>(name.front() - 'a')];
}

bool world::is_out(gateway_number number) {
  return is_stormy() && now() < out_until_[number];
}

void world::look_at_gateways() {
  for (auto& until : out_until_)
    if (strikes(fault::gateway_outage))
      until = now() + random_.span(500ms, 20s);
  if (is_stormy())
    in_world(500ms, [this] { look_at_gateways(); });
}

const char* world::issuer_declines(payment_ref payment, gateway_number at) const {
  const auto client = client_of(payment);
  switch (clients_.card_of(client)) {
    case card_kind::good: return "";
    case card_kind::bad: return "insufficient_funds";
    case card_kind::disputed:
      return at == clients_.first_gateway_of(client) ? "processing_error" : "";
  }
  return "";
}

// -- payments and their clients
// -----------------------------------------------------------------------------

payment_ref world::new_payment(const request& what, shard_number shard) {
  const auto ref = static_cast<payment_ref>(subjects_.size());
  subjects_.push_back({make_payment_id(now(), shard, random_.next(), ref), what.client, false});
  return ref;
}

key_name world::name_of(const request& what) const {
  std::string key = "c";
  key += std::to_string(what.client);
  key += '-';
  key += std::to_string(what.ask);
  return {merchant_of(what.client), std::move(key)};
}

fingerprint world::fingerprint_of(const request& what) noexcept {
  fingerprint print{};
  for (std::size_t i = 0; i < 4; ++i)
    print[i] = static_cast<std::uint8_t>(what.client >> (8 * i));
  print[4] = what.ask;
  print[5] = what.other_body ? 1 : 0;
  return print;
}

node_number world::owner_of(client_ref client, bool the_one_before) const {
  return cluster_.owner_of(merchant_of(client).shard(), the_one_before);
}

void world::arrive(node_number to, const request& what) {
  if (!node(to).up)
    return;
  on_node(to, 0us, [this, to, what] {
    const auto& shards = node(to).shards;
    const auto found = shards.find(merchant_of(what.client).shard());
    if (found == shards.end())
      return reply(to, what, {});
    const auto shard = found->second;
    shard->submit(what);
  });
}

void world::reply(node_number from, const request& about, simulation::reply what) {
  static_cast<void>(from);
  note(what.payment, step_kind::reply, static_cast<std::uint64_t>(what.kind),
       what.answer ? what.answer->status : 0);
  checker_.answered(about, what);
  if (strikes(fault::reply_lost))
    return;
  in_network(random_.span(200us, 5'000us),
             [this, about, what = std::move(what)] { clients_.hear(about, what); });
}

void world::resolved(const payment& after, const payment_event& event) {
  auto& one = subjects_[ref_of(after.id.value)];
  const auto type = type_of(event);
  if (type == event_type::authorization_unknown) {
    ++unknowns_.unknown;
    one.is_unknown = true;
    return;
  }
  if (type == event_type::resolution_escalated)
    ++unknowns_.escalated;
  if (!one.is_unknown)
    return;
  const bool ended = type == event_type::authorization_approved
                     || type == event_type::authorization_declined
                     || type == event_type::authorization_reversed;
  if (!ended)
    return;
  one.is_unknown = false;
  ++(type == event_type::authorization_approved   ? unknowns_.approved
     : type == event_type::authorization_declined ? unknowns_.declined
                                                  : unknowns_.reversed);
}

} // namespace holdfast::simulation
