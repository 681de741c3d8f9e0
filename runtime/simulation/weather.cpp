#include "runtime/simulation/weather.hpp"

namespace holdfast::simulation {

namespace {

struct season {
  std::string_view name;
  std::uint32_t rate_min; ///< parts of a million
  std::uint32_t rate_max;
};

/// In the order of `fault`.
constexpr std::array<season, fault_count> seasons{{
  {"request_lost", 2'000, 200'000},
  {"request_late", 2'000, 100'000},
  {"request_doubled", 2'000, 200'000},
  {"answer_lost", 2'000, 200'000},
  {"answer_late", 2'000, 100'000},
  {"answer_doubled", 2'000, 200'000},
  {"http_500", 2'000, 200'000},
  {"http_500_idle", 2'000, 200'000},
  {"html", 2'000, 100'000},
  {"stale_status", 10'000, 300'000},
  {"reversal_refused", 10'000, 500'000},
  {"gateway_outage", 1'000, 30'000},
  {"gateway_actor_death", 1'000, 30'000},
  {"payment_actor_death", 10'000, 300'000},
  {"shard_actor_death", 1'000, 20'000},
  {"node_crash", 1'000, 30'000},
  {"node_pause", 1'000, 30'000},
  {"node_cut", 1'000, 20'000},
  {"shard_move", 1'000, 50'000},
  {"commit_lost", 500, 20'000},
  {"commit_unheard", 500, 20'000},
  {"journal_gives_up", 200, 2'000},
  {"disk_stall", 500, 10'000},
  {"write_refused", 200, 10'000},
  {"read_failed", 1'000, 300'000},
  {"submission_lost", 2'000, 200'000},
  {"submission_doubled", 2'000, 200'000},
  {"reply_lost", 2'000, 200'000},
  {"stale_routing", 10'000, 300'000},
  {"client_leaves", 2'000, 50'000},
  {"other_body", 2'000, 100'000},
  {"file_refused", 10'000, 200'000},
  {"item_rejected", 2'000, 100'000},
  {"item_deferred", 2'000, 100'000},
  {"results_doubled", 10'000, 300'000},
  {"acquirer_silent", 10'000, 500'000},
  {"acquirer_days_late", 10'000, 300'000},
  {"line_missing", 2'000, 100'000},
  {"line_doubled", 2'000, 100'000},
  {"line_other_amount", 2'000, 100'000},
  {"line_unknown", 2'000, 100'000},
  {"report_garbled", 10'000, 500'000},
}};

constexpr std::size_t index_of(fault which) noexcept {
  return static_cast<std::size_t>(which);
}

} // namespace

std::string_view to_string(fault which) noexcept {
  return seasons[index_of(which)].name;
}

weather::weather(random& source) : random_(source) {
  // From calm seeds, in which a bug of the ordinary kind shows, to those in which all goes
  // wrong.
  const auto share_on = static_cast<std::uint32_t>(random_.between(50'000, 700'000));
  for (std::size_t i = 0; i < fault_count; ++i) {
    const bool on = random_.chance(share_on);
    // Between the two bounds by orders of magnitude: seldom and often are tried alike.
    auto rate = seasons[i].rate_max;
    while (rate / 2 >= seasons[i].rate_min && random_.one_in(2))
      rate /= 2;
    rates_[i] = on ? rate : 0;
  }
}

bool weather::strikes(fault which) noexcept {
  if (!stormy_ || !random_.chance(rates_[index_of(which)]))
    return false;
  ++counts_[index_of(which)];
  return true;
}

} // namespace holdfast::simulation
