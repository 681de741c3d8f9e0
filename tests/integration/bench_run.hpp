// A call of `holdfast bench`, and what it printed. Short ones, for they are about the harness
// and not about figures.
#pragma once

#include "tests/support/process.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <vector>

namespace holdfast::test {

struct bench_run {
  finished how;
  boost::json::object printed; ///< empty when it was not a JSON object
};

class bench_fixture {
protected:
  /// stdout and stderr come together: the result is the one line that is an object.
  bench_run run(const std::vector<std::string>& arguments);
  /// A mode that is run once, briefly, by itself.
  bench_run run_alone(const std::string& mode, const std::vector<std::string>& more = {});
  /// The suffixes of the files that were written.
  [[nodiscard]] std::vector<std::string> result_files() const;

private:
  temp_folder folder_;
  int runs_ = 0;
};

/// It has ended well, without any error.
void check_verified(const bench_run& made);
/// As many payments on all three sides.
void check_counted(const bench_run& made);

} // namespace holdfast::test
