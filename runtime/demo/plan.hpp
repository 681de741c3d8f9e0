// What happens on a sandbox day: which merchant asks for which payment, and what must come of
// it. Pure and, for a given seed, always the same.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::demo {

struct merchant_plan {
  std::string_view name;
  std::string_view currency;
  std::uint32_t weight; ///< of every hundred payments
};

inline constexpr std::array<merchant_plan, 5> merchants{{
  {"Kelp & Daughters", "EUR", 35},
  {"Tidewater Coffee", "USD", 30},
  {"Umi Stationery", "JPY", 15},
  {"Harbour Lights", "GBP", 12},
  {"Barnacle Books", "EUR", 8},
}};

/// The stories that a payment may tell.
enum class story : std::uint8_t {
  automatic,        ///< authorized and captured at once
  captured_later,   ///< authorized, then captured in full
  captured_in_part, ///< authorized, some captured, the rest released
  captured_twice,   ///< two captures on one hold
  held,             ///< authorized and left at that
  voided,
  refunded, ///< captured, then refunded in full
  refunded_in_part,
  declined,       ///< by the issuer
  refused,        ///< a mistyped card number: ours to refuse
  unknown,        ///< the gateway's answer gets lost, in one of six ways
  odd_settlement, ///< something happens to it at settlement, in one of five ways
};
inline constexpr std::size_t story_count = 12;

[[nodiscard]] std::string_view to_string(story which) noexcept;

/// Something asked of a payment after it was authorized.
struct follow_up {
  enum class kind : std::uint8_t { capture, release, refund };
  kind what = kind::capture;
  std::int64_t amount = 0; ///< minor units; 0: all that is left
  bool final = false;
};

struct planned_payment {
  story which = story::automatic;
  std::size_t merchant = 0; ///< index of `merchants`
  std::int64_t amount = 0;  ///< minor units
  bool automatic = false;
  std::string_view card;
  std::string_view decline_code; ///< what a declined one must be declined with
  std::vector<follow_up> then;

  /// The last two digits, in which the sandbox reads what should go wrong.
  [[nodiscard]] int ending() const noexcept { return static_cast<int>(amount % 100); }
};

/// `count` payments in a mixed order. A few of every story are there however small `count` is,
/// as far as there is room.
[[nodiscard]] std::vector<planned_payment> make_plan(std::size_t count, std::uint64_t seed);

} // namespace holdfast::demo
