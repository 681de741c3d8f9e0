#include "runtime/log/log.hpp"

#include "messages/time.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <memory>

namespace holdfast::log {

namespace {

/// Between the sentence and its fields on their way through spdlog, which knows no fields. It
/// can be in neither: in JSON a control character is escaped.
constexpr char field_mark = '\x1e';

void append(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

void append_escaped(spdlog::memory_buf_t& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      append(out, escape);
    } else {
      out.push_back(c);
    }
  }
}

struct parts {
  std::string_view message;
  std::string_view fields; ///< `"name":value` with commas between
};

parts split(const spdlog::details::log_msg& line) {
  const std::string_view text{line.payload.data(), line.payload.size()};
  const auto mark = text.find(field_mark);
  if (mark == std::string_view::npos)
    return {text, {}};
  return {text.substr(0, mark), text.substr(mark + 1)};
}

std::string time_of(const spdlog::details::log_msg& line) {
  return to_rfc3339(std::chrono::time_point_cast<std::chrono::microseconds>(line.time));
}

std::string_view level_of(const spdlog::details::log_msg& line) {
  const auto name = spdlog::level::to_string_view(line.level);
  return {name.data(), name.size()};
}

class json_formatter final : public spdlog::formatter {
public:
  explicit json_formatter(std::string node) : node_(std::move(node)) {}

  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const auto [message, fields] = split(line);
    append(out, R"({"at":")");
    append(out, time_of(line));
    append(out, R"(","level":")");
    append(out, level_of(line));
    if (!node_.empty()) {
      append(out, R"(","node":")");
      append_escaped(out, node_);
    }
    append(out, R"(","message":")");
    append_escaped(out, message);
    out.push_back('"');
    if (!fields.empty()) {
      out.push_back(',');
      append(out, fields);
    }
    append(out, "}\n");
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<json_formatter>(node_);
  }

private:
  std::string node_;
};

class text_formatter final : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const auto [message, fields] = split(line);
    append(out, time_of(line));
    out.push_back(' ');
    append(out, level_of(line));
    for (auto width = level_of(line).size(); width < 8; ++width)
      out.push_back(' ');
    append(out, message);
    if (!fields.empty()) {
      append(out, "  ");
      append(out, fields);
    }
    out.push_back('\n');
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<text_formatter>();
  }
};

spdlog::level::level_enum spdlog_level(level severity) {
  switch (severity) {
    case level::debug: return spdlog::level::debug;
    case level::info: return spdlog::level::info;
    case level::warn: return spdlog::level::warn;
    case level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

} // namespace

expected<void> set_up(const settings& wanted) {
  spdlog::sink_ptr sink;
  try {
    if (wanted.file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(wanted.file);
  } catch (const spdlog::spdlog_ex& failure) {
    return make_error(errc::unavailable, failure.what());
  }
  if (wanted.format == "text")
    sink->set_formatter(std::make_unique<text_formatter>());
  else
    sink->set_formatter(std::make_unique<json_formatter>(wanted.node));
  auto logger = std::make_shared<spdlog::logger>("holdfast", std::move(sink));
  logger->set_level(spdlog::level::from_str(wanted.level));
  // A line that says why we are about to die must be out before we do.
  logger->flush_on(wanted.file.empty() ? spdlog::level::trace : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

field::field(std::string_view name, std::string_view value) : name_(name) {
  spdlog::memory_buf_t text;
  text.push_back('"');
  append_escaped(text, value);
  text.push_back('"');
  json_.assign(text.data(), text.size());
}

void write(level severity, std::string_view message, std::initializer_list<field> fields) {
  auto* logger = spdlog::default_logger_raw();
  if (!logger || !logger->should_log(spdlog_level(severity)))
    return;
  std::string line{message};
  char between = field_mark;
  for (const auto& each : fields) {
    line += between;
    line += '"';
    line += each.name();
    line += "\":";
    line += each.json();
    between = ',';
  }
  logger->log(spdlog_level(severity), spdlog::string_view_t{line.data(), line.size()});
}

} // namespace holdfast::log
