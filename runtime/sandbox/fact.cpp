#include "runtime/sandbox/fact.hpp"

#include "messages/json_writer.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parser.hpp>

#include <array>
#include <charconv>
#include <optional>

namespace holdfast::sandbox {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 8> kind_texts{
  "authorize", "capture", "reverse", "refund", "settle", "token", "file", "report"};
constexpr std::array<std::string_view, 9> status_texts{"approved",  "declined", "reversed",
                                                       "succeeded", "refused",  "accepted",
                                                       "rejected",  "deferred", "dropped"};

template <class Enum, std::size_t Size>
std::optional<Enum> parse_text(const std::array<std::string_view, Size>& texts,
                               std::string_view text) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (texts[i] == text)
      return static_cast<Enum>(i);
  }
  return std::nullopt;
}

void append_number(std::string& out, std::string_view name, std::int64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(name).append(digits.data(), end);
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty())
    return;
  out.append(name);
  append_json_string(out, value);
}

/// Reads members; notes whether one had the wrong type.
class member_reader {
public:
  explicit member_reader(const json::object& from) : from_(from) {}

  std::string_view text(std::string_view name) {
    const auto* value = from_.if_contains(name);
    if (!value)
      return {};
    const auto* text = value->if_string();
    is_whole_ = is_whole_ && text;
    return text ? std::string_view{*text} : std::string_view{};
  }

  std::int64_t number(std::string_view name) {
    const auto* value = from_.if_contains(name);
    if (!value)
      return 0;
    const auto* number = value->if_int64();
    is_whole_ = is_whole_ && number;
    return number ? *number : 0;
  }

  bool flag(std::string_view name) {
    const auto* value = from_.if_contains(name);
    if (!value)
      return false;
    const auto* flag = value->if_bool();
    is_whole_ = is_whole_ && flag;
    return flag && *flag;
  }

  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }

private:
  const json::object& from_;
  bool is_whole_ = true;
};

} // namespace

std::string_view to_string(fact_kind kind) noexcept {
  return kind_texts[static_cast<std::size_t>(kind)];
}

std::string_view to_string(fact_status status) noexcept {
  return status_texts[static_cast<std::size_t>(status)];
}

void append_line(const fact& entry, std::string& out) {
  append_number(out, "{\"seq\":", entry.seq);
  out.append(",\"at\":\"").append(to_rfc3339(entry.at));
  out.append("\",\"kind\":\"").append(to_string(entry.kind)).append("\"");
  append_text(out, ",\"gateway\":", entry.gateway);
  append_text(out, ",\"reference\":", entry.reference);
  append_text(out, ",\"gateway_reference\":", entry.gateway_reference);
  append_number(out, ",\"amount\":", entry.amount_minor);
  append_text(out, ",\"currency\":", entry.currency);
  out.append(entry.effective ? ",\"effective\":true" : ",\"effective\":false");
  append_text(out, ",\"status\":", to_string(entry.status));
  append_text(out, ",\"code\":", entry.code);
  append_text(out, ",\"hold\":", entry.hold);
  append_text(out, ",\"acquirer\":", entry.acquirer);
  append_text(out, ",\"file\":", entry.file);
  if (entry.line != 0)
    append_number(out, ",\"line\":", entry.line);
  append_text(out, ",\"sha256\":", entry.sha256);
  append_text(out, ",\"token\":", entry.token);
  append_text(out, ",\"last4\":", entry.last4);
  if (entry.final)
    out.append(",\"final\":true");
  if (entry.repeat)
    out.append(",\"repeat\":true");
  out.append("}\n");
}

struct stored_fact::memory {
  std::array<unsigned char, 8'192> buffer;
  json::monotonic_resource resource{buffer.data(), buffer.size()};
  json::parser parser;
  std::optional<json::value> root;
  fact entry;
};

stored_fact::stored_fact() : memory_(std::make_unique<memory>()) {}
stored_fact::~stored_fact() = default;

expected<const fact*> stored_fact::parse(std::string_view line) {
  auto& [buffer, resource, parser, root, entry] = *memory_;
  root.reset();
  resource.release();
  parser.reset(&resource);
  json::error_code failure;
  parser.write(line.data(), line.size(), failure);
  if (failure)
    return make_error(errc::corrupt, "a fact is not JSON");
  root.emplace(parser.release());
  const auto* object = root->if_object();
  if (!object)
    return make_error(errc::corrupt, "a fact is not an object");

  member_reader members{*object};
  const auto kind = parse_text<fact_kind>(kind_texts, members.text("kind"));
  const auto status = parse_text<fact_status>(status_texts, members.text("status"));
  const auto at = parse_rfc3339(members.text("at"));
  if (!kind || !status || !at)
    return make_error(errc::corrupt, "a fact has an unknown kind, status or time");
  entry = fact{};
  entry.kind = *kind;
  entry.status = *status;
  entry.at = *at;
  entry.seq = members.number("seq");
  entry.effective = members.flag("effective");
  entry.repeat = members.flag("repeat");
  entry.final = members.flag("final");
  entry.gateway = members.text("gateway");
  entry.reference = members.text("reference");
  entry.gateway_reference = members.text("gateway_reference");
  entry.amount_minor = members.number("amount");
  entry.currency = members.text("currency");
  entry.code = members.text("code");
  entry.hold = members.text("hold");
  entry.acquirer = members.text("acquirer");
  entry.file = members.text("file");
  entry.line = members.number("line");
  entry.sha256 = members.text("sha256");
  entry.token = members.text("token");
  entry.last4 = members.text("last4");
  if (!members.is_whole())
    return make_error(errc::corrupt, "a fact has a member of the wrong type");
  return &entry;
}

} // namespace holdfast::sandbox
