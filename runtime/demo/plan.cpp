#include "runtime/demo/plan.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace holdfast::demo {

namespace {

constexpr std::string_view approving_card = "4242424242424242";
constexpr std::string_view mistyped_card = "4242424242424241";

struct declining_card {
  std::string_view number;
  std::string_view code;
};

constexpr std::array<declining_card, 7> declining_cards{{
  {"4000000000000002", "generic_decline"},
  {"4000000000009995", "insufficient_funds"},
  {"4000000000009987", "lost_card"},
  {"4000000000009979", "stolen_card"},
  {"4000000000000069", "expired_card"},
  {"4000000000000127", "incorrect_cvc"},
  {"4000000000000119", "processing_error"},
}};

/// Of every thousand payments; the automatic ones are what is left.
struct share {
  story which;
  std::size_t per_mille;
  std::size_t at_least;
};

constexpr std::array<share, story_count - 1> shares{{
  {story::captured_later, 200, 2},
  {story::captured_in_part, 40, 2},
  {story::captured_twice, 20, 2},
  {story::held, 30, 2},
  {story::voided, 40, 2},
  {story::refunded, 30, 2},
  {story::refunded_in_part, 30, 2},
  {story::declined, 70, declining_cards.size()},
  {story::refused, 5, 1},
  {story::unknown, 15, 12},
  {story::odd_settlement, 10, 10},
}};

/// mt19937_64 is the same everywhere; the standard's distributions are not.
class dice {
public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }

private:
  std::mt19937_64 engine_;
};

std::size_t pick_merchant(dice& random) {
  auto point = random.below(100);
  for (std::size_t i = 0; i < merchants.size(); ++i) {
    if (point < merchants[i].weight)
      return i;
    point -= merchants[i].weight;
  }
  return 0;
}

/// 2.00 to 250.49 in most currencies, with an ending that means nothing to the sandbox.
std::int64_t plain_amount(dice& random) {
  return static_cast<std::int64_t>(100 * (2 + random.below(249)) + random.below(50));
}

std::int64_t amount_ending_in(dice& random, std::size_t ending) {
  return static_cast<std::int64_t>(100 * (2 + random.below(249)) + ending);
}

/// A part of an amount that itself ends in nothing special.
std::int64_t part_of(std::int64_t amount) {
  return amount / 200 * 100 + amount % 50;
}

/// `turn` counts the payments of this story, so that its variants come in turns.
planned_payment tell(story which, std::size_t turn, dice& random) {
  using kind = follow_up::kind;
  planned_payment payment;
  payment.which = which;
  payment.merchant = pick_merchant(random);
  payment.amount = plain_amount(random);
  payment.card = approving_card;
  const auto part = part_of(payment.amount);
  switch (which) {
    case story::automatic: payment.automatic = true; break;
    case story::captured_later: payment.then = {{kind::capture, 0, false}}; break;
    case story::captured_in_part: payment.then = {{kind::capture, part, true}}; break;
    case story::captured_twice:
      payment.amount = 200 * (1 + payment.amount / 200);
      payment.then = {{kind::capture, payment.amount / 2, false},
                      {kind::capture, payment.amount / 2, true}};
      break;
    case story::held: break;
    case story::voided: payment.then = {{kind::release, 0, false}}; break;
    case story::refunded:
      payment.automatic = true;
      payment.then = {{kind::refund, 0, false}};
      break;
    case story::refunded_in_part:
      payment.automatic = true;
      payment.then = {{kind::refund, part, false}};
      break;
    case story::declined:
      payment.automatic = turn % 2 == 0;
      payment.card = declining_cards[turn % declining_cards.size()].number;
      payment.decline_code = declining_cards[turn % declining_cards.size()].code;
      break;
    case story::refused: payment.card = mistyped_card; break;
    case story::unknown:
      payment.automatic = true;
      payment.amount = amount_ending_in(random, 51 + turn % 6);
      break;
    case story::odd_settlement:
      payment.automatic = true;
      payment.amount = amount_ending_in(random, 61 + turn % 5);
      break;
  }
  return payment;
}

} // namespace

std::string_view to_string(story which) noexcept {
  constexpr std::array<std::string_view, story_count> names{
    "captured at once", "captured later", "captured in part", "captured twice", "held",
    "voided",           "refunded",       "refunded in part", "declined",       "mistyped card",
    "unknown outcome",  "odd settlement"};
  return names[static_cast<std::size_t>(which)];
}

std::vector<planned_payment> make_plan(std::size_t count, std::uint64_t seed) {
  dice random{seed};
  std::vector<planned_payment> plan;
  plan.reserve(count);
  for (const auto& [which, per_mille, at_least] : shares) {
    const auto wanted = std::max(at_least, count * per_mille / 1'000);
    for (std::size_t turn = 0; turn < wanted && plan.size() < count; ++turn)
      plan.push_back(tell(which, turn, random));
  }
  for (std::size_t turn = 0; plan.size() < count; ++turn)
    plan.push_back(tell(story::automatic, turn, random));
  for (auto i = plan.size(); i > 1; --i)
    std::swap(plan[i - 1], plan[random.below(i)]);
  return plan;
}

} // namespace holdfast::demo
