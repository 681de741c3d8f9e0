// The JSON body of a request to the sandbox, read member by member.
#pragma once

#include "messages/expected.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::sandbox {

/// Getters note the first member that is missing or wrong and go on with a harmless value, so
/// that a handler reads all it wants and then asks once. Views live as long as the body.
/// Members that nobody asks for are ignored, as gateways do.
class request_body {
public:
  /// Errors: invalid_argument (not a JSON object).
  [[nodiscard]] static expected<request_body> parse(std::string_view text);
  request_body(request_body&& other) noexcept;
  request_body& operator=(request_body&& other) noexcept;
  ~request_body();

  /// Not empty.
  [[nodiscard]] std::string_view text(std::string_view name, std::size_t bytes_max);
  [[nodiscard]] std::string_view text_or(std::string_view name, std::string_view otherwise,
                                         std::size_t bytes_max);
  /// Of letters, digits, dots, underscores and hyphens.
  [[nodiscard]] std::string_view plain_name(std::string_view name);
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::int64_t number_or(std::string_view name, std::int64_t otherwise,
                                       std::int64_t min, std::int64_t max);
  /// An amount in minor units, at least 1.
  [[nodiscard]] std::int64_t amount();
  /// Three upper-case letters.
  [[nodiscard]] std::string_view currency();
  /// False when absent.
  [[nodiscard]] bool flag(std::string_view name);
  [[nodiscard]] bool has(std::string_view name) const;
  /// Whatever it is. Null when absent.
  [[nodiscard]] const boost::json::value* value_if_any(std::string_view name) const {
    return find(name);
  }
  /// Null when absent.
  [[nodiscard]] const boost::json::object* object_if_any(std::string_view name);
  /// From now on the getters read the members of this object. False when it is absent or wrong.
  [[nodiscard]] bool enter(std::string_view name);

  /// Empty while all was right.
  [[nodiscard]] const std::string& wrong_member() const noexcept { return wrong_member_; }

private:
  struct memory;

  request_body();
  const boost::json::value* find(std::string_view name) const;
  void note(std::string_view name);

  std::unique_ptr<memory> memory_;
  const boost::json::object* object_ = nullptr;
  std::string wrong_member_;
};

} // namespace holdfast::sandbox
