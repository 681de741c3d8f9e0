// Merchants who ask again with the same key whatever happens, until they have a definitive
// answer; and who remember every one of them.
#pragma once

#include "messages/time.hpp"
#include "runtime/demo/audit.hpp"
#include "runtime/demo/plan.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::test {

/// What a merchant must find in its books, by its own account.
struct expected_payment {
  std::string id;
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
};

/// How often the nodes let a client down, whatever was made of it later.
struct letdowns {
  std::size_t refused = 0;    ///< 503
  std::size_t unanswered = 0; ///< sent, and then the connection broke or the time was up
  /// Of both: those that befell the first repetition of a request that was let down before.
  std::size_t twice = 0;
  std::vector<std::string> examples; ///< the first few, for a person
};

/// How hard merchants press. The usual is enough at once that the journal's transactions hold
/// several, and few enough that a kill leaves most of a plan for the time after it.
struct load_pace {
  std::size_t requests_at_once = 24;
  milliseconds between_requests{0}; ///< at least
};

/// All public functions are for one thread, the test's; the work is done on another.
class crash_load {
public:
  /// One API key a merchant; `run` makes the idempotency keys unique. Nothing is sent yet.
  crash_load(std::vector<demo::planned_payment> plan, std::vector<std::string> api_keys,
             std::string run, load_pace pace = {});
  ~crash_load();
  crash_load(const crash_load&) = delete;
  crash_load& operator=(const crash_load&) = delete;

  /// Begins, or goes on with a node that listens elsewhere than the one before. Repeats are not
  /// long in coming, whatever a node says of it.
  void go_to(const std::string& http_url);
  /// The same with several nodes, to all of which requests go in turn. What failed at one is
  /// repeated at the next, after as long as a refusal asks for.
  void go_to(const std::vector<std::string>& http_urls);
  /// How many definitive answers the plan asks for, at the most.
  [[nodiscard]] std::size_t answers_wanted() const noexcept;
  /// Returns once so many definitive answers are there or none is missing; at the latest after
  /// `limit`.
  void await_answers(std::size_t count, milliseconds limit);
  /// Lets this time pass, or less if no answer is missing before.
  void await_end_or(milliseconds pause);
  /// True once no answer is missing; false when that takes longer than `limit`.
  [[nodiscard]] bool await_end(milliseconds limit);
  /// Begins no further payment of the plan; those that were begun come to their end.
  void wind_up();
  /// Sends every answered request once more. Whatever is not the first answer, byte for byte,
  /// becomes a complaint.
  [[nodiscard]] bool ask_all_again(milliseconds limit);

  // After the end.
  [[nodiscard]] const std::vector<demo::acknowledged>& answers() const;
  [[nodiscard]] const std::vector<expected_payment>& payments() const;
  /// Answers that no crash explains, for a person.
  [[nodiscard]] const std::vector<std::string>& complaints() const;
  /// Of the first time that everything was asked.
  [[nodiscard]] letdowns let_down() const;
  /// What is still missing, for a person.
  [[nodiscard]] std::string open_requests() const;

private:
  class work;
  std::unique_ptr<work> work_;
};

} // namespace holdfast::test
