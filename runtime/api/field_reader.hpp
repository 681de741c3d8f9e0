// Reads the members of a JSON object by name and type, and remembers the first that is wrong:
// so that a check reads as a list of what is expected.
#pragma once

#include "messages/money.hpp"
#include "messages/secret.hpp"
#include "runtime/api/refusal.hpp"

#include <boost/json/fwd.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::api {

/// Whether text may hold line breaks and tabs. No text holds any other control character.
enum class text_form : std::uint8_t { one_line, many_lines };

/// After the first refusal, what is returned is meaningless; nothing throws. Not thread-safe;
/// the object and the refusal must outlive the reader.
class field_reader {
public:
  /// `path` is what stands before the members' names in `param`; empty for the outermost
  /// object.
  field_reader(const boost::json::object& fields, std::string path,
               std::optional<refusal>& first_refusal);

  /// Refuses every member that is not among `known` (`unknown_field`).
  void only(std::initializer_list<std::string_view> known);

  [[nodiscard]] bool has(std::string_view name) const;
  /// An object that must be there. Null when it is not, or is no object; then it was refused.
  [[nodiscard]] const boost::json::object* object(std::string_view name);
  [[nodiscard]] std::string path_of(std::string_view name) const;

  /// At most `bytes_max` bytes; empty when there is none. No text of ours, metadata's included,
  /// holds a card number: that is refused as `card_data_in_text`.
  [[nodiscard]] std::string text(std::string_view name, std::size_t bytes_max,
                                 text_form form = text_form::one_line);
  /// Likewise, but it must be there and not be empty.
  [[nodiscard]] std::string required_text(std::string_view name, std::size_t bytes_max);
  /// A string of `digits_min` to `digits_max` digits that is never shown. Refused as `code`.
  [[nodiscard]] secret required_digits(std::string_view name, std::size_t digits_min,
                                       std::size_t digits_max, std::string_view code);
  /// An integer as written (not 100.0, 1e2 or "100") within the bounds.
  [[nodiscard]] std::int64_t required_integer(std::string_view name, std::int64_t least,
                                              std::int64_t most);
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t least,
                                     std::int64_t most, std::int64_t otherwise);
  [[nodiscard]] bool flag(std::string_view name, bool otherwise);

  /// More than zero, at most limits::amount_minor_max. Refused as `invalid_amount`.
  [[nodiscard]] minor_units required_amount(std::string_view name);
  [[nodiscard]] std::optional<minor_units> amount(std::string_view name);
  /// Refused as `unknown_currency`.
  [[nodiscard]] currency required_currency(std::string_view name);
  /// Pairs of short strings, in the order in which they were sent.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> metadata(
    std::string_view name);

  void refuse(std::string_view name, std::string_view code, std::string detail);

private:
  [[nodiscard]] const boost::json::value* find(std::string_view name) const;
  /// Like `find`, but an absence is refused.
  [[nodiscard]] const boost::json::value* require(std::string_view name);
  [[nodiscard]] std::int64_t integer_of(std::string_view name,
                                        const boost::json::value& content, std::int64_t least,
                                        std::int64_t most, std::string_view code);
  [[nodiscard]] std::string text_of(std::string_view name, const boost::json::value& content,
                                    std::size_t bytes_max, text_form form);

  const boost::json::object& fields_;
  std::string path_;
  std::optional<refusal>& first_refusal_;
};

} // namespace holdfast::api
