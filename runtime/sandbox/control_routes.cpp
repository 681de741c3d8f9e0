// The routes under /sandbox: faults, records, health.
#include "messages/limits.hpp"
#include "runtime/http/target.hpp"
#include "runtime/sandbox/routes.hpp"

#include <charconv>
#include <optional>

namespace holdfast::sandbox {

namespace {

std::optional<std::int64_t> read_number(std::string_view text, std::int64_t otherwise) {
  if (text.empty())
    return otherwise;
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || value < 0)
    return std::nullopt;
  return value;
}

http::response handle_faults(sandbox_core& core, const http::request& asked) {
  if (asked.method == "GET")
    return json_answer(200, core.faults.to_json());
  if (asked.method == "DELETE") {
    core.faults.clear();
    return json_answer(200, core.faults.to_json());
  }
  if (asked.method != "POST")
    return no_such_route(asked);
  auto set = core.faults.set(asked.body);
  return set ? json_answer(200, core.faults.to_json()) : problem_of(set.error(), asked);
}

http::response handle_records(sandbox_core& core, const http::request& asked) {
  constexpr std::int64_t usual_page = 1'000;
  const auto after = read_number(http::query_value(asked.query, "after"), 0);
  const auto limit = read_number(http::query_value(asked.query, "limit"), usual_page);
  if (!after || !limit || *limit == 0)
    return http::problem(400, "invalid_request", "`after` or `limit` is not a number.", asked);
  const auto page =
    std::min(static_cast<std::size_t>(*limit), limits::sandbox_records_page_max);
  auto lines = core.log->read(*after, page);
  if (!lines)
    return problem_of(lines.error(), asked);
  auto answer = json_answer(200, std::move(*lines));
  answer.content_type = "application/x-ndjson";
  return answer;
}

} // namespace

http::response handle_control(sandbox_core& core, path_segments path,
                              const http::request& asked) {
  if (path.size() != 1)
    return no_such_route(asked);
  if (path[0] == "faults")
    return handle_faults(core, asked);
  if (path[0] == "records" && asked.method == "GET")
    return handle_records(core, asked);
  if (path[0] == "health" && asked.method == "GET")
    return json_answer(200, R"({"status":"ok"})");
  return no_such_route(asked);
}

} // namespace holdfast::sandbox
