// A string that must not be seen: wiped when it goes, never printed.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace holdfast {

/// Card numbers, CVCs and API keys on their way through memory. Has no implicit conversion, and
/// its stream operator writes a placeholder, so that a careless log line shows nothing.
class secret {
public:
  secret() = default;
  explicit secret(std::string_view value) : value_(value) {}
  secret(const secret&) = default;
  secret(secret&&) noexcept = default;
  secret& operator=(const secret& other);
  secret& operator=(secret&& other) noexcept;
  ~secret();

  /// The clear text: for the vault's or the gateway's wire only.
  [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

private:
  void wipe() noexcept;

  std::string value_;
};

std::ostream& operator<<(std::ostream& out, const secret&);

} // namespace holdfast
