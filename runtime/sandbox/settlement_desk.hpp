// The acquirer's back office: takes settlement files, works through their items in turns, and
// leaves results and a report. Goes on after a restart where it was.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/sandbox/fact_log.hpp"
#include "runtime/sandbox/faults.hpp"
#include "runtime/sandbox/state.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace holdfast::sandbox {

/// What became of a file that was put. Refusals and conflicts are errors.
enum class reception : std::uint8_t { accepted, known_already };

/// Which of the two documents of a finished file.
enum class document : std::uint8_t { results, report };

/// Runs on the io_context's thread. `state` and `log` outlive it.
class settlement_desk {
public:
  settlement_desk(boost::asio::io_context& io, sandbox_state& state, fact_log& log,
                  std::string folder);
  ~settlement_desk();
  settlement_desk(const settlement_desk&) = delete;
  settlement_desk& operator=(const settlement_desk&) = delete;

  /// Takes up the files that were not done when the process ended. Errors: unavailable,
  /// corrupt.
  [[nodiscard]] expected<void> resume();

  /// Work on it begins after `delay`, with these faults. Errors: conflict (the id was used for
  /// other bytes), invalid_argument (malformed, or a total is wrong: which line), overloaded,
  /// unavailable.
  [[nodiscard]] expected<reception> put(std::string_view acquirer, std::string_view id,
                                        std::string_view sha256, std::string_view bytes,
                                        milliseconds delay, const settlement_faults& faults);
  /// As the faults of the moment let it through. Errors: not_found (no such file),
  /// invalid_state (not yet), unavailable.
  [[nodiscard]] expected<std::string> read(std::string_view acquirer, std::string_view id,
                                           document which, const settlement_faults& faults);

private:
  class job;

  [[nodiscard]] std::string path_of(std::string_view acquirer, std::string_view id,
                                    std::string_view suffix) const;
  void start_next();
  void work();
  [[nodiscard]] expected<void> finish(job& done);

  struct parts;
  std::unique_ptr<parts> parts_;
  sandbox_state& state_;
  fact_log& log_;
  const std::string folder_;
  std::deque<std::unique_ptr<job>> jobs_;
};

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

} // namespace holdfast::sandbox
