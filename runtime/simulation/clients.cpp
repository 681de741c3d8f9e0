#include "runtime/simulation/clients.hpp"

#include "messages/assert.hpp"
#include "runtime/simulation/checker.hpp"
#include "runtime/simulation/world.hpp"

#include <algorithm>

namespace holdfast::simulation {

using namespace std::chrono_literals;

clients::clients(world& of, std::size_t payments, std::size_t merchants)
  : world_(of),
    all_(payments) {
  auto& chance = world_.chance();
  for (auto& one : all_) {
    one.merchant = chance.below(merchants);
    one.amount = chance.between(100, 100'000);
    one.automatic = chance.one_in(3);
    one.card = chance.one_in(12)   ? card_kind::bad
               : chance.one_in(12) ? card_kind::disputed
                                   : card_kind::good;
    one.first_gateway = static_cast<gateway_number>(chance.below(world_.gateways()));
    plan(one);
  }
}

/// What is to follow the creation. Most of it is ordinary; some of it races itself.
void clients::plan(client& one) {
  auto& chance = world_.chance();
  const auto part = [&](int percent) {
    return std::max<std::int64_t>(one.amount * percent / 100, 1);
  };
  plan_stage(one, {{wish::create, {}, 0, false, 0, 0}});
  if (one.automatic) {
    switch (chance.below(6)) {
      case 0: return plan_stage(one, {{wish::refund}});
      case 1:
        return plan_stage(one, {{wish::refund, {}, 0, false, 0, part(60)},
                                {wish::refund, {}, 0, false, 0, part(60)}});
      case 2: return plan_stage(one, {{wish::refund, {}, 0, false, 0, part(150)}});
      default: return;
    }
  }
  switch (chance.below(12)) {
    case 0: return; // It will expire.
    case 1: return plan_stage(one, {{wish::void_hold}});
    case 2: return plan_stage(one, {{wish::capture}, {wish::void_hold}});
    case 3:
      plan_stage(one, {{wish::capture, {}, 0, false, 0, part(60)},
                       {wish::capture, {}, 0, false, 0, part(60)}});
      return plan_stage(one, {{wish::refund, {}, 0, false, 0, part(30)},
                              {wish::refund, {}, 0, false, 0, part(40)}});
    case 4:
      plan_stage(one, {{wish::capture, {}, 0, false, 0, part(30)}});
      return plan_stage(one, {{wish::capture, {}, 0, true, 0, part(40)}, {wish::void_hold}});
    case 5:
      plan_stage(one, {{wish::capture, {}, 0, true, 0, part(70)}});
      return plan_stage(one, {{wish::refund, {}, 0, false, 0, part(40)},
                              {wish::refund, {}, 0, false, 0, part(40)}});
    case 6: return plan_stage(one, {{wish::void_hold}, {wish::void_hold}});
    case 7:
      plan_stage(one, {{wish::capture}});
      return plan_stage(one, {{wish::refund}, {wish::void_hold}});
    default: return plan_stage(one, {{wish::capture}});
  }
}

void clients::plan_stage(client& one, std::initializer_list<ask> asks) {
  for (auto wanted : asks) {
    HF_ASSERT(one.asks < asks_max);
    wanted.stage = one.stage;
    wanted.state = ask_state::planned;
    one.all[one.asks++] = wanted;
  }
  ++one.stage;
}

void clients::begin(microseconds over) {
  for (client_ref number = 0; number < all_.size(); ++number) {
    all_[number].stage = 0;
    ++open_;
    world_.in_network(world_.chance().span(0us, over), [this, number] { begin_stage(number); });
  }
}

void clients::begin_stage(client_ref number) {
  auto& one = all_[number];
  const auto stage = one.stage;
  bool any = false;
  for (auto& wanted : one.all)
    if (wanted.state == ask_state::planned && wanted.stage == stage) {
      any = true;
      wanted.state = ask_state::open;
    }
  if (!any)
    --open_;
  for (std::uint8_t which = 0; which < one.asks; ++which)
    if (one.all[which].stage == stage)
      send(number, which);
}

request clients::request_of(client_ref number, std::uint8_t which) const {
  const auto& one = all_[number];
  const auto& wanted = one.all[which];
  request made;
  made.client = number;
  made.ask = which;
  made.what = wanted.what;
  made.final = wanted.final;
  made.payment = one.payment;
  if (wanted.amount != 0)
    made.amount = minor_units{wanted.amount};
  return made;
}

void clients::send(client_ref number, std::uint8_t which) {
  auto& wanted = all_[number].all[which];
  if (wanted.state != ask_state::open)
    return;
  const auto tries = ++wanted.tries;
  if (world_.strikes(fault::client_leaves)) {
    // It never hears the answer, nor does it ask again; the payment must end all the same.
    submit(request_of(number, which), world_.owner_of(number, false));
    return ended(number, which, {});
  }
  auto made = request_of(number, which);
  made.respond_async = tries == 1 && world_.chance().one_in(20);
  made.wait = milliseconds{world_.chance().one_in(4) ? 1'000 : 10'000};
  submit(made, world_.owner_of(number, world_.strikes(fault::stale_routing)));
  if (world_.strikes(fault::submission_doubled))
    submit(made, world_.owner_of(number, world_.chance().one_in(2)));
  // Then its own patience ends, and it comes again with the same key.
  world_.in_network(made.wait + world_.chance().span(1s, 6s), [this, number, which, tries] {
    if (all_[number].all[which].tries == tries)
      send(number, which);
  });
}

void clients::submit(const request& what, node_number to) {
  if (world_.strikes(fault::submission_lost))
    return;
  world_.in_network(world_.chance().span(200us, 5'000us),
                    [this, what, to] { world_.arrive(to, what); });
}

void clients::repeat(client_ref number, std::uint8_t which, microseconds pause) {
  const auto tries = all_[number].all[which].tries;
  world_.in_network(pause, [this, number, which, tries] {
    if (all_[number].all[which].tries == tries)
      send(number, which);
  });
}

void clients::hear(const request& about, const reply& what) {
  auto& one = all_[about.client];
  auto& wanted = one.all[about.ask];
  if (about.other_body || wanted.state != ask_state::open)
    return;
  switch (what.kind) {
    case answer_kind::definitive: return ended(about.client, about.ask, what);
    case answer_kind::pending:
      one.payment = what.payment;
      return repeat(about.client, about.ask, world_.chance().span(1s, 10s));
    case answer_kind::try_again:
      return repeat(about.client, about.ask, world_.chance().span(200ms, 5s));
    case answer_kind::key_reused:
      return world_.check().fail('R', "a repeated request was taken for another one",
                                 one.payment);
    case answer_kind::not_found:
      return world_.check().fail('D', "a payment that was acknowledged is not found",
                                 one.payment);
  }
}

void clients::ended(client_ref number, std::uint8_t which, const reply& what) {
  auto& one = all_[number];
  auto& wanted = one.all[which];
  const bool well = what.answer && what.answer->status < 300;
  wanted.state = !what.answer ? ask_state::abandoned
                 : well       ? ask_state::succeeded
                              : ask_state::refused;
  if (what.payment != no_payment)
    one.payment = what.payment;
  if (what.answer && world_.strikes(fault::other_body))
    try_other_body(request_of(number, which));
  bool stage_done = true;
  bool stage_well = false;
  for (std::uint8_t i = 0; i < one.asks; ++i) {
    if (one.all[i].stage != one.stage)
      continue;
    stage_done = stage_done && one.all[i].state != ask_state::open;
    stage_well = stage_well || one.all[i].state == ask_state::succeeded;
  }
  if (!stage_done)
    return;
  if (!stage_well) {
    --open_;
    return;
  }
  ++one.stage;
  world_.in_network(world_.chance().span(1ms, 8s), [this, number] { begin_stage(number); });
}

/// The same key with another request, now that the key is taken for good.
void clients::try_other_body(const request& about) {
  auto other = about;
  other.other_body = true;
  other.amount = minor_units{7};
  submit(other, world_.owner_of(about.client, false));
}

create_payment clients::order_of(const request& what) const {
  const auto& one = all_[what.client];
  create_payment order;
  order.total = {minor_units{one.amount}, world_.unit()};
  order.mode = one.automatic ? capture_mode::automatic : capture_mode::manual;
  order.token = "tok";
  order.path.acquirer = "acquirer";
  const auto count = world_.gateways();
  for (std::size_t i = 0; i < count; ++i)
    order.path.gateways.push_back(
      world_.gateway(static_cast<gateway_number>((one.first_gateway + i) % count)).name());
  return order;
}

client_ref clients::some_open() const noexcept {
  for (client_ref number = 0; number < all_.size(); ++number)
    for (const auto& wanted : all_[number].all)
      if (wanted.state == ask_state::open)
        return number;
  return static_cast<client_ref>(all_.size());
}

} // namespace holdfast::simulation
