// Plays a plan against one node or several, as their merchants would: over HTTP, many at a
// time, asking again with the same idempotency key whatever happens, and keeping every
// definitive answer.
#pragma once

#include "messages/expected.hpp"
#include "runtime/demo/audit.hpp"
#include "runtime/demo/plan.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace holdfast::demo {

struct drive_options {
  std::vector<std::string> http_urls; ///< of the nodes, which take turns; at least one
  std::vector<std::string> api_keys;  ///< one a merchant, in the order of `merchants`
  std::string run;                    ///< makes the idempotency keys of this run unique
  std::size_t connections = 128;
  /// Hears how many payments have had their first answer. May be empty.
  std::function<void(std::uint64_t answered, std::uint64_t waiting)> progress;
};

struct drive_result {
  std::vector<acknowledged> answers;
  /// Of each planned payment its id; empty where none was made.
  std::vector<std::string> ids;
  /// Answers that were not what the plan expects, for a person.
  std::vector<std::string> surprises;
  std::uint64_t requests = 0;
  std::uint64_t asked_again = 0; ///< for want of an answer, or of a definitive one
  std::uint64_t replays = 0;     ///< answered requests sent once more, to compare the answers
  std::uint64_t unknown = 0;     ///< payments whose first answer was a 202
  /// Until every payment had its answer, those apart whose answer is lost on purpose.
  double answers_s = 0;
  double all_answers_s = 0;  ///< until every answer was definitive
  double latency_p50_ms = 0; ///< of all requests with a definitive answer at once
  double latency_p99_ms = 0;
};

/// Blocking; runs its own io_context on the calling thread. Errors: invalid_argument (the URL),
/// unavailable (stopped, or answers stay away for too long).
[[nodiscard]] expected<drive_result> drive(const std::vector<planned_payment>& plan,
                                           const drive_options& options, std::stop_token stop);

} // namespace holdfast::demo
