// The load generator: carries journeys to the node over kept-alive connections, in an open or a
// closed loop, and counts what comes back.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/bench/histogram.hpp"
#include "runtime/bench/workload.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::bench {

struct load_options {
  std::string http_url;
  std::size_t connections = 64;
  std::optional<double> rate; ///< journeys a second, for the open loop
  milliseconds warm_up{0};    ///< not counted
  milliseconds length{1'000};
  /// The number of the first journey: two loads of one run must not use the same keys.
  std::uint64_t first_journey = 0;
  /// As many and no more; 0: as `length` has it.
  std::uint64_t journeys_max = 0;
  /// Asked now and then: an error ends the load. May be empty.
  std::function<expected<void>()> check;
};

struct load_result {
  double seconds = 0;     ///< of the part that counts
  std::uint64_t done = 0; ///< journeys that came to their end in it
  histogram latency; ///< of those due in it: from when they were due until their last answer
  std::uint64_t begun = 0;   ///< all journeys, warm-up included
  std::uint64_t dropped = 0; ///< due, and never begun for want of a connection
  std::uint64_t asked = 0;   ///< journeys due in the part that counts, with a first answer
  std::uint64_t refused = 0; ///< of those: turned away (429, 503) with a Retry-After
  /// Journeys that had no definitive answer, or a wrong one, by what happened.
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t wrong = 0;          ///< answers that must not be; part of `errors`
  std::uint64_t finished_count = 0; ///< journeys at their end, warm-up included
  /// The payments of those, in no order.
  std::vector<known_payment> finished;
  /// Journeys to be asked again.
  std::vector<journey> unsettled;

  [[nodiscard]] double rate() const noexcept {
    return seconds > 0 ? static_cast<double>(done) / seconds : 0;
  }
  [[nodiscard]] std::uint64_t error_count() const noexcept;
};

/// Blocking; runs an io_context of its own on the calling thread. Errors: invalid_argument (the
/// URL), what `check` says.
[[nodiscard]] expected<load_result> run_load(const workload& what, const load_options& options);

/// Asks for every unsettled journey again, with its own keys, until it has a definitive answer.
/// Adds to `finished`; nothing else is counted. Errors: as above; unavailable, when answers
/// stay away.
[[nodiscard]] expected<void> settle(const workload& what, const load_options& options,
                                    load_result& result);

} // namespace holdfast::bench
