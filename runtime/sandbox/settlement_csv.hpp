// The settlement file as the acquirer reads it and the report as it writes it
// (docs/sandbox.md). Strict: lines end with LF, no field is quoted, every total is checked.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "runtime/sandbox/fact.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sandbox {

/// One `I` line. The views point into the file's bytes.
struct file_item {
  std::string_view batch;
  std::string_view merchant;
  std::string_view operation; ///< our id of it, `cap_…` or `ref_…`
  fact_kind kind = fact_kind::capture;
  std::string_view gateway;
  std::string_view gateway_reference;
  std::string_view operation_reference;
  std::int64_t amount_minor = 0;
  std::string_view currency;
};

/// Line numbers are places in the vector plus one.
[[nodiscard]] expected<std::vector<file_item>> parse_file(std::string_view bytes,
                                                          std::string_view acquirer,
                                                          std::string_view file);

/// Writes a settlement report line by line and sums it up.
class report_writer {
public:
  report_writer(std::string_view acquirer, std::string_view file, timestamp created);

  /// One `S` line, at this amount, which may differ from the item's.
  void add(const file_item& item, std::int64_t amount_minor);
  /// The `P` lines, one a currency, and the trailer. The writer is spent.
  [[nodiscard]] std::string finish();

private:
  struct sums {
    std::int64_t gross_minor = 0; ///< captures less refunds
    std::int64_t fees_minor = 0;
  };

  std::string text_;
  std::int64_t lines_ = 0;
  std::map<std::string, sums, std::less<>> by_currency_;
};

} // namespace holdfast::sandbox
