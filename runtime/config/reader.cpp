#include "runtime/config/reader.hpp"

#include "runtime/config/values.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace holdfast::config {

namespace {

std::string quoted(std::string_view text) {
  return '"' + std::string{text} + '"';
}

std::string kind_of(const toml::node& node) {
  std::ostringstream out;
  out << node.type();
  return out.str();
}

std::uint32_t line_of(const toml::node& node) {
  return static_cast<std::uint32_t>(node.source().begin.line);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

} // namespace

void findings::add(std::uint32_t line, std::string text) {
  found_.push_back({std::max(line, 1U), std::move(text)});
}

std::string findings::text() const {
  auto sorted = found_;
  std::ranges::stable_sort(sorted, {}, &finding::line);
  std::string out;
  for (const auto& [line, text] : sorted)
    out += (out.empty() ? "" : "\n") + file_ + ':' + std::to_string(line) + ": " + text;
  return out;
}

table_reader::table_reader(const toml::table& table, std::string name, findings& out)
  : table_(table),
    name_(std::move(name)),
    out_(out) {}

const toml::node* table_reader::find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void table_reader::complain(std::string_view key, std::string text) {
  const auto* node = table_.get(key);
  const auto label = name_.empty() ? std::string{key} : name_ + ' ' + std::string{key};
  out_.add(line_of(node ? *node : table_), label + ": " + std::move(text));
}

void table_reader::require(std::string_view key) {
  if (!has(key))
    complain(key, "is missing");
}

std::optional<std::string> table_reader::expanded(std::string_view key,
                                                  const toml::node& node) {
  const auto raw = node.value_exact<std::string>();
  if (!raw) {
    complain(key, "expected a string, got " + kind_of(node));
    return std::nullopt;
  }
  auto text =
    expand_variables(*raw, [](const std::string& name) { return std::getenv(name.c_str()); });
  if (!text) {
    complain(key, text.error().detail);
    return std::nullopt;
  }
  return *text;
}

void table_reader::read(std::string_view key, std::string& target, const text_check& check,
                        visibility shown) {
  const auto* node = find(key);
  if (!node)
    return;
  const auto text = expanded(key, *node);
  if (!text)
    return;
  const auto wrong = check ? check(*text) : std::string{};
  if (wrong.empty())
    target = *text;
  else if (shown == visibility::secret)
    complain(key, wrong);
  else
    complain(key, wrong + ", got " + quoted(*node->value_exact<std::string>()));
}

void table_reader::read(std::string_view key, milliseconds& target, milliseconds min,
                        milliseconds max) {
  const auto range = [&] {
    return "expected a duration from " + duration_text(min) + " to " + duration_text(max);
  };
  std::string text;
  read(key, text, [&](std::string_view value) {
    const auto parsed = parse_duration(value);
    return parsed && *parsed >= min && *parsed <= max ? std::string{} : range();
  });
  if (!text.empty())
    target = *parse_duration(text);
}

void table_reader::read(std::string_view key, double& target, double min, double max) {
  const auto* node = find(key);
  if (!node)
    return;
  // An integer is a fine way to write a whole number.
  const auto value = node->value<double>();
  if (value && *value >= min && *value <= max) {
    target = *value;
    return;
  }
  std::ostringstream text;
  text << "expected a number from " << min << " to " << max;
  complain(key, text.str());
}

void table_reader::read(std::string_view key, std::vector<std::string>& target,
                        const text_check& check) {
  const auto* node = find(key);
  if (!node)
    return;
  const auto* array = node->as_array();
  if (!array) {
    complain(key, "expected a list of strings, got " + kind_of(*node));
    return;
  }
  std::vector<std::string> values;
  for (const auto& element : *array) {
    const auto text = expanded(key, element);
    if (!text)
      return;
    const auto wrong = check ? check(*text) : std::string{};
    if (!wrong.empty())
      out_.add(line_of(element), name_ + ' ' + std::string{key} + ": " + wrong + ", got "
                                   + quoted(*element.value_exact<std::string>()));
    else if (std::ranges::find(values, *text) != values.end())
      out_.add(line_of(element),
               name_ + ' ' + std::string{key} + ": names " + quoted(*text) + " twice");
    else
      values.push_back(*text);
  }
  target = std::move(values);
}

void table_reader::read(std::string_view key, std::vector<std::uint32_t>& target,
                        std::int64_t min, std::int64_t max) {
  const auto* node = find(key);
  if (!node)
    return;
  std::vector<std::uint32_t> values;
  const auto* array = node->as_array();
  for (std::size_t at = 0; array && at < array->size(); ++at) {
    const auto value = array->get(at)->value_exact<std::int64_t>();
    if (value && *value >= min && *value <= max)
      values.push_back(static_cast<std::uint32_t>(*value));
  }
  if (!array || values.size() != array->size())
    return complain(key, "expected a list of integers from " + std::to_string(min) + " to "
                           + std::to_string(max));
  target = std::move(values);
}

void table_reader::read_any_of(std::string_view key, std::vector<std::string>& target,
                               const text_check& check) {
  const auto* node = table_.get(key);
  if (node && node->is_array()) {
    read(key, target, check);
    if (node->as_array()->empty())
      complain(key, "expected at least one, or \"*\" for any");
    return;
  }
  std::string one = "*";
  read(key, one,
       [&](std::string_view text) { return text == "*" ? std::string{} : check(text); });
  target.clear();
  if (one != "*")
    target.push_back(std::move(one));
}

std::uint32_t table_reader::line() const {
  return line_of(table_);
}

std::int64_t table_reader::integer(std::string_view key, std::int64_t fallback,
                                   std::int64_t min, std::int64_t max) {
  const auto* node = find(key);
  if (!node)
    return fallback;
  auto value = node->value_exact<std::int64_t>();
  if (node->is_string()) {
    const auto text = expanded(key, *node);
    if (!text)
      return fallback;
    // Only a variable may stand for a number; a quoted number is a mistake.
    if (*text != *node->value_exact<std::string>())
      value = parse_integer(*text);
  }
  if (value && *value >= min && *value <= max)
    return *value;
  complain(key,
           "expected an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return fallback;
}

void table_reader::section(std::string_view key,
                           const std::function<void(table_reader&)>& visit) {
  const auto* node = find(key);
  if (!node)
    return;
  const auto* table = node->as_table();
  if (!table) {
    complain(key, "expected a table, got " + kind_of(*node));
    return;
  }
  const auto inner =
    name_.empty() ? '[' + std::string{key} + ']' : name_ + ' ' + std::string{key};
  table_reader reader{*table, inner, out_};
  visit(reader);
  reader.finish();
}

void table_reader::each(std::string_view key, const std::function<void(table_reader&)>& visit) {
  const auto* node = find(key);
  if (!node)
    return;
  const auto* array = node->as_array();
  if (!array
      || !std::ranges::all_of(*array, [](const toml::node& it) { return it.is_table(); })) {
    complain(key, "expected tables, each under a [[" + std::string{key} + "]]");
    return;
  }
  for (const auto& element : *array) {
    table_reader reader{*element.as_table(), "[[" + std::string{key} + "]]", out_};
    visit(reader);
    reader.finish();
  }
}

void table_reader::finish() {
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(known_, key.str()) != known_.end())
      continue;
    const auto label = name_.empty() ? std::string{} : name_ + ": ";
    out_.add(
      static_cast<std::uint32_t>(key.source().begin.line),
      label + "unknown key " + quoted(key.str()) + ", expected one of " + joined(known_));
  }
}

} // namespace holdfast::config
