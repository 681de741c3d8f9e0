// What the place we write to can show: a terminal with colours and boxes, or a plain file.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::console {

struct terminal {
  bool interactive = false; ///< a person watches: lines may be redrawn
  bool utf8 = false;        ///< box lines and bars may be drawn with Unicode
  bool colour = false;      ///< interactive, and NO_COLOR is not set
  std::size_t columns = 80;

  /// Of the file descriptor: 1 for stdout, 2 for stderr.
  [[nodiscard]] static terminal of(int descriptor);

  [[nodiscard]] std::string bold(std::string_view text) const { return styled("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return styled("2", text); }
  [[nodiscard]] std::string good(std::string_view text) const { return styled("32", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return styled("31;1", text); }

private:
  [[nodiscard]] std::string styled(std::string_view code, std::string_view text) const;
};

/// Columns that a UTF-8 text takes, colour codes not counted. Every character counts as one,
/// which holds for all that we print.
[[nodiscard]] std::size_t display_width(std::string_view text) noexcept;

/// "12,345": for people.
[[nodiscard]] std::string grouped(std::uint64_t number);

/// Shows how far long work has come, on stderr: a bar that is redrawn on a terminal, a line now
/// and then elsewhere. Not thread-safe.
class progress {
public:
  /// A total of 0 is one that is not known: there is no bar then.
  progress(std::string what, std::uint64_t total);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress(); ///< Ends the line.

  void advance_to(std::uint64_t done, std::string_view note = {});
  /// Shows where it ended, however short ago the last picture was.
  void finish(std::uint64_t done) { draw(done, {}); }

private:
  void draw(std::uint64_t done, std::string_view note);

  using clock = std::chrono::steady_clock;

  terminal out_;
  std::string what_;
  std::uint64_t total_;
  clock::time_point began_ = clock::now();
  clock::time_point drawn_{};
  std::uint64_t shown_ = 0;
  bool line_open_ = false;
};

} // namespace holdfast::console
