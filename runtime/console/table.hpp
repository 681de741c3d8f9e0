// Aligned columns for people.
#pragma once

#include "runtime/console/terminal.hpp"

#include <string>
#include <vector>

namespace holdfast::console {

enum class align : std::uint8_t { left, right };

struct column {
  std::string title;
  align side = align::left;
};

class table {
public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// A row with fewer cells than columns ends with empty ones.
  void add(std::vector<std::string> cells);
  /// A line between the rows before and after.
  void add_rule();
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  /// The table with its titles, each line indented by so many spaces.
  [[nodiscard]] std::string text(const terminal& out, std::size_t indent = 0) const;

private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_; ///< an empty row is a rule
};

} // namespace holdfast::console
