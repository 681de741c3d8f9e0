// A strict way to read a TOML table: every key must be asked for, every value must fit, and all
// that is wrong is told at once, each with its line. Included by config.cpp alone.
#pragma once

#include "messages/time.hpp"

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// What is wrong with a file, gathered while it is read.
class findings {
public:
  explicit findings(std::string file) : file_(std::move(file)) {}

  void add(std::uint32_t line, std::string text);
  [[nodiscard]] bool empty() const noexcept { return found_.empty(); }
  /// "file:line: text", one line each, in the order of the file.
  [[nodiscard]] std::string text() const;

private:
  struct finding {
    std::uint32_t line;
    std::string text;
  };

  std::string file_;
  std::vector<finding> found_;
};

/// Whether a message may show the value it complains about.
enum class visibility : std::uint8_t { shown, secret };

/// Says what is wrong with a text, or nothing when it is fine ("expected host:port").
using text_check = std::function<std::string(std::string_view)>;

/// Reads the keys of one table. An absent key leaves the target as it is. A text may hold
/// "${NAME}", which stands for that environment variable; messages show the text as written.
class table_reader {
public:
  /// `name` is how messages call the table: "[http]".
  table_reader(const toml::table& table, std::string name, findings& out);

  void read(std::string_view key, std::string& target, const text_check& check = {},
            visibility shown = visibility::shown);
  void read(std::string_view key, milliseconds& target, milliseconds min, milliseconds max);
  void read(std::string_view key, double& target, double min, double max);
  void read(std::string_view key, std::vector<std::string>& target, const text_check& check);
  void read(std::string_view key, std::vector<std::uint32_t>& target, std::int64_t min,
            std::int64_t max);
  /// One text or a list of them; "*" alone is an empty list, which stands for any.
  void read_any_of(std::string_view key, std::vector<std::string>& target,
                   const text_check& check);

  template <class Integer>
  void read(std::string_view key, Integer& target, std::int64_t min, std::int64_t max) {
    static_assert(sizeof(Integer) <= sizeof(std::int64_t));
    target = static_cast<Integer>(integer(key, static_cast<std::int64_t>(target), min, max));
  }

  /// The sub-table of this key, if there is one.
  void section(std::string_view key, const std::function<void(table_reader&)>& visit);
  /// Each table of the array of tables of this key.
  void each(std::string_view key, const std::function<void(table_reader&)>& visit);

  /// Complains unless the key is there.
  void require(std::string_view key);
  /// Complains about the value of `key`, or about the table when it has none.
  void complain(std::string_view key, std::string text);
  /// Complains about keys that nobody asked for. To be called last.
  void finish();

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  /// Of the table's head.
  [[nodiscard]] std::uint32_t line() const;

private:
  const toml::node* find(std::string_view key);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                       std::int64_t max);
  /// The text with its variables put in; nothing after it has complained.
  std::optional<std::string> expanded(std::string_view key, const toml::node& node);

  const toml::table& table_;
  std::string name_;
  findings& out_;
  std::vector<std::string> known_;
};

} // namespace holdfast::config
