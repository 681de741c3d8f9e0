// Logging: one line an event, as JSON in production and as text for a person. Set up once, by
// the program; the lines themselves are written through here or through spdlog, which is the
// same. Never the audit log, and never card data, keys or database URLs.
#pragma once

#include "messages/expected.hpp"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace holdfast::log {

struct settings {
  std::string level = "info";  ///< trace, debug, info, warn, error
  std::string format = "json"; ///< or "text"
  std::string file;            ///< appended to; empty: stderr
  std::string node;            ///< stands in every JSON line; empty: left out
};

/// Replaces spdlog's default logger. Errors: unavailable (the file can't be opened).
[[nodiscard]] expected<void> set_up(const settings& wanted);

/// A name and a value that stand in the line as a field of their own, so that it can be
/// searched.
class field {
public:
  field(std::string_view name, std::string_view value);
  field(std::string_view name, const char* value) : field(name, std::string_view{value}) {}
  field(std::string_view name, bool value) : name_(name), json_(value ? "true" : "false") {}
  field(std::string_view name, std::integral auto value)
    : name_(name),
      json_(std::to_string(value)) {}

  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  /// The value as JSON.
  [[nodiscard]] const std::string& json() const noexcept { return json_; }

private:
  std::string_view name_;
  std::string json_;
};

enum class level : std::uint8_t { debug, info, warn, error };

/// Thread-safe. `message` is a constant sentence; what varies goes into fields.
void write(level severity, std::string_view message, std::initializer_list<field> fields = {});

inline void info(std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::info, message, fields);
}
inline void warn(std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::warn, message, fields);
}
inline void fail(std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::error, message, fields);
}

} // namespace holdfast::log
