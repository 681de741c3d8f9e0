// The modes that need an installation: what each does before, in every turn, and what must then
// be true of its payments.
#pragma once

#include "runtime/bench/bench.hpp"
#include "runtime/bench/site.hpp"

#include <memory>
#include <string>
#include <vector>

namespace holdfast::bench {

struct conclusion {
  std::vector<payment_id> acknowledged;
  expectation wanted;
  std::vector<std::string> complaints; ///< answers that must not be, and the like
};

class measurement {
public:
  virtual ~measurement() = default;
  /// What is there before anything is measured. Errors: unavailable.
  [[nodiscard]] virtual expected<void> prepare() { return {}; }
  /// One turn; fills in the mode's own figures. Errors: unavailable.
  [[nodiscard]] virtual expected<void> run(std::size_t turn, const point& at,
                                           run_figures& figures) = 0;
  /// After the last turn, once.
  [[nodiscard]] virtual conclusion conclude() = 0;
};

/// Both must outlive it. Not for `spawn`.
[[nodiscard]] std::unique_ptr<measurement> make_measurement(const bench_options& options,
                                                            site& where);

} // namespace holdfast::bench
