#include "messages/problem.hpp"

#include "messages/card_number.hpp"
#include "messages/json_writer.hpp"

#include <algorithm>

namespace holdfast {

namespace {

/// "amount_too_large" → "Amount too large": one word list for machines and people.
std::string title_of(std::string_view code) {
  std::string title{code};
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty() && title.front() >= 'a' && title.front() <= 'z')
    title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

void write_unless_empty(json_writer& json, std::string_view name, std::string_view text) {
  if (!text.empty())
    json.member(name, text);
}

} // namespace

std::string to_json(const problem& document) {
  json_writer json{384 + document.detail.size() + document.payment_json.size()};
  json.begin_object()
    .member("type", "urn:holdfast:problem:" + std::string{document.code})
    .member("title", title_of(document.code))
    .member("status", document.status);
  write_unless_empty(json, "detail", document.detail);
  // The path is the client's text; what doesn't belong there must not come back in a document
  // that people log and forward.
  if (!contains_card_number(document.instance))
    write_unless_empty(json, "instance", document.instance);
  json.member("code", document.code);
  write_unless_empty(json, "param", document.param);
  write_unless_empty(json, "request_id", document.request_id);
  write_unless_empty(json, "decline_code", document.decline_code);
  if (!document.payment_json.empty())
    json.key("payment").raw(document.payment_json);
  return json.end_object().take();
}

} // namespace holdfast
