#include "runtime/console/table.hpp"

#include <algorithm>

namespace holdfast::console {

namespace {

constexpr std::string_view gap = "  ";

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

std::string padded(const std::string& cell, std::size_t width, align side) {
  const std::string blank(width - std::min(width, display_width(cell)), ' ');
  return side == align::left ? cell + blank : blank + cell;
}

void trim_end(std::string& line) {
  line.erase(line.find_last_not_of(' ') + 1);
}

} // namespace

void table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

void table::add_rule() {
  rows_.emplace_back();
}

std::string table::text(const terminal& out, std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = display_width(columns_[i].title);
    for (const auto& row : rows_)
      width = std::max(width, row.empty() ? 0 : display_width(row[i]));
    widths.push_back(width);
  }
  const std::string margin(indent, ' ');
  std::string text;
  const auto add_line = [&](auto&& cell) {
    std::string line = margin;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      line += (i == 0 ? std::string{} : std::string{gap}) + cell(i);
    trim_end(line);
    text += line + '\n';
  };
  const auto add_rule_line = [&] {
    add_line([&](std::size_t i) { return out.dim(repeated(out.utf8 ? "─" : "-", widths[i])); });
  };
  add_line([&](std::size_t i) {
    return out.bold(padded(columns_[i].title, widths[i], columns_[i].side));
  });
  add_rule_line();
  for (const auto& row : rows_) {
    if (row.empty())
      add_rule_line();
    else
      add_line([&](std::size_t i) { return padded(row[i], widths[i], columns_[i].side); });
  }
  return text;
}

} // namespace holdfast::console
