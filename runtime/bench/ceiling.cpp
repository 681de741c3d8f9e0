#include "runtime/bench/ceiling.hpp"

#include "runtime/bench/feeder.hpp"

#include <chrono>

namespace holdfast::bench {

expected<double> run_ceiling(const std::string& database_url, milliseconds length,
                             const std::function<expected<void>()>& check) {
  feed_plan plan;
  plan.length = length;
  plan.dated = wall_clock_now();
  const auto fed = feed_journal(database_url, plan, [&](std::uint64_t) { return check(); });
  if (!fed)
    return fed.error();
  constexpr double writes_a_payment = 2;
  const auto seconds = std::chrono::duration<double>(length).count();
  return static_cast<double>(fed->writes) / writes_a_payment / seconds;
}

} // namespace holdfast::bench
