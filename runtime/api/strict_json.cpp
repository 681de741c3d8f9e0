#include "runtime/api/strict_json.hpp"

#include "messages/limits.hpp"
#include "runtime/http/text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <vector>

namespace holdfast::api {

namespace {

namespace json = boost::json;

/// Builds the value as Boost.JSON's own handler does, and stops at a doubled member, which that
/// one would let the later value win. The names and signatures are those that basic_parser
/// calls.
class strict_handler {
public:
  using error_code = boost::system::error_code;
  using text = json::string_view;

  static constexpr std::size_t max_object_size = limits::json_members_max;
  static constexpr std::size_t max_array_size = limits::json_members_max;
  static constexpr std::size_t max_key_size = 1'024;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  strict_handler() { stack_.reset(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    open_objects_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t members, error_code&) {
    open_objects_.pop_back();
    stack_.push_object(members);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t elements, error_code&) {
    stack_.push_array(elements);
    return true;
  }

  bool on_key_part(text part, std::size_t, error_code&) {
    stack_.push_chars(part);
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(text part, std::size_t, error_code& failure) {
    key_.append(part.data(), part.size());
    stack_.push_key(part);
    auto& names = open_objects_.back();
    const bool doubled = std::find(names.begin(), names.end(), key_) != names.end();
    names.push_back(std::move(key_));
    key_.clear();
    if (!doubled)
      return true;
    duplicate_ = path();
    failure = json::make_error_code(json::error::syntax);
    return false;
  }

  bool on_string_part(text part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(text part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(text, error_code&) { return true; }
  bool on_int64(std::int64_t number, text, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, text, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, text, error_code&) {
    stack_.push_double(number);
    return true;
  }
  bool on_bool(bool flag, error_code&) {
    stack_.push_bool(flag);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(text, error_code&) { return true; }
  bool on_comment(text, error_code&) { return true; }

  [[nodiscard]] json::value release() { return stack_.release(); }
  /// The dotted path of the member that came twice; empty when none did.
  [[nodiscard]] const std::string& duplicate() const noexcept { return duplicate_; }

private:
  [[nodiscard]] std::string path() const {
    std::string dotted;
    for (const auto& names : open_objects_) {
      if (!dotted.empty())
        dotted += '.';
      dotted += names.back();
    }
    return dotted;
  }

  json::value_stack stack_;
  std::vector<std::vector<std::string>> open_objects_; ///< names so far, outermost first
  std::string key_;
  std::string duplicate_;
};

refusal invalid_json(std::string detail) {
  return {.status = 400, .code = "invalid_json", .detail = std::move(detail), .param = {}};
}

refusal refusal_of(const boost::system::error_code& failure, const strict_handler& handler) {
  if (!handler.duplicate().empty()) {
    const bool showable = is_showable_name(handler.duplicate());
    return {.status = 400,
            .code = "duplicate_field",
            .detail = "The same member occurs twice in one object; send each once.",
            .param = showable ? handler.duplicate() : std::string{}};
  }
  return invalid_json(
    "The body is not a JSON document that is accepted here: " + failure.message() + ".");
}

} // namespace

checked<json::object> parse_object(std::string_view body) {
  json::parse_options options;
  options.max_depth = limits::json_depth_max;
  options.allow_invalid_utf8 = false;
  json::basic_parser<strict_handler> parser{options};

  boost::system::error_code failure;
  const auto used = parser.write_some(false, body.data(), body.size(), failure);
  if (failure)
    return refusal_of(failure, parser.handler());
  if (used < body.size())
    return invalid_json("The body goes on after the end of its JSON document.");
  auto document = parser.handler().release();
  if (!document.is_object())
    return invalid_json("The body must be a JSON object.");
  return std::move(document.get_object());
}

bool is_showable_name(std::string_view name) noexcept {
  constexpr std::size_t longest = 80;
  constexpr int digits_in_a_row_max = 8; // A card number has twelve or more.
  int digits = 0;
  for (const char c : name) {
    digits = http::is_digit(c) ? digits + 1 : 0;
    if (digits > digits_in_a_row_max)
      return false;
  }
  return http::is_plain_name(name, longest);
}

} // namespace holdfast::api
