// Writes JSON straight into a string: for the documents on the hot path, whose bytes are stored
// and must come out the same every time. Reading JSON is another matter
// (runtime/api/strict_json.hpp).
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so
/// that the document is always well-formed, whatever a gateway wrote into a message.
void append_json_string(std::string& out, std::string_view text);

/// Members and elements in the order in which they are written; commas are its own business.
/// That keys and values alternate and that everything opened is closed is the caller's. Not
/// thread-safe.
class json_writer {
public:
  explicit json_writer(std::size_t capacity = 512) { out_.reserve(capacity); }

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  /// Names the next value. `name` is ours, not input, unless it goes through `text_key`.
  json_writer& key(std::string_view name);
  /// Names the next value by input, escaped as a string is.
  json_writer& text_key(std::string_view name);

  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view{text}); }
  /// A template, so that nothing that merely converts to bool or int is written by mistake.
  template <std::same_as<bool> T>
  json_writer& value(T flag) {
    return raw(flag ? "true" : "false");
  }
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) json_writer& value(T number) {
    return integer(static_cast<std::int64_t>(number));
  }
  json_writer& null() { return raw("null"); }
  /// A rendered document, embedded as it stands.
  json_writer& raw(std::string_view json);

  template <class T>
  json_writer& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  /// A string, or null where there is none.
  json_writer& member_or_null(std::string_view name, std::string_view text) {
    return text.empty() ? key(name).null() : key(name).value(text);
  }

  /// The document. The writer is empty afterwards.
  [[nodiscard]] std::string take();

private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  json_writer& integer(std::int64_t number);
  void separate();

  std::string out_;
  bool comma_due_ = false;
};

} // namespace holdfast
