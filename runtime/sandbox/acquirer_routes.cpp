// The routes of the acquirers: settlement files in, results and reports out.
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/http/text.hpp"
#include "runtime/sandbox/routes.hpp"

namespace holdfast::sandbox {

namespace {

http::response accepted(std::uint16_t status, std::string_view file) {
  json_writer out;
  out.begin_object().member("status", "accepted").member("file_id", file).end_object();
  return json_answer(status, out.take());
}

http::response refused(std::string_view why) {
  json_writer out;
  out.begin_object().member("status", "refused").member("reason", why).end_object();
  return json_answer(422, out.take());
}

http::response put_file(sandbox_core& core, std::string_view acquirer, std::string_view file,
                        const http::request& asked) {
  if (!asked.header("content-type").starts_with("text/csv"))
    return http::problem(415, "unsupported_media_type", "A settlement file is text/csv.",
                         asked);
  const auto sha256 = sha256_hex(asked.body);
  if (asked.header("x-file-sha256") != sha256)
    return refused("X-File-SHA256 is missing or is not that of these bytes");
  const auto& faults = core.faults.settings(acquirer);
  if (faults.settlement.refuse_file)
    return refused("this acquirer takes no files at the moment");
  const auto taken =
    core.desk->put(acquirer, file, sha256, asked.body, faults.report_delay, faults.settlement);
  if (taken)
    return accepted(*taken == reception::accepted ? 202 : 200, file);
  if (taken.error().code == errc::invalid_argument)
    return refused(taken.error().detail);
  return problem_of(taken.error(), asked);
}

http::response get_document(sandbox_core& core, std::string_view acquirer,
                            std::string_view file, document which, const http::request& asked) {
  auto content =
    core.desk->read(acquirer, file, which, core.faults.settings(acquirer).settlement);
  if (content) {
    auto answer = json_answer(200, std::move(*content));
    if (which == document::report)
      answer.content_type = "text/csv";
    return answer;
  }
  switch (content.error().code) {
    case errc::not_found: return json_answer(404, R"({"status":"not_found"})");
    case errc::invalid_state: return json_answer(202, R"({"status":"pending"})");
    default: return problem_of(content.error(), asked);
  }
}

} // namespace

http::response handle_acquirer(sandbox_core& core, path_segments path,
                               const http::request& asked) {
  if (path.size() < 3 || path.size() > 4 || path[1] != "files"
      || !http::is_plain_name(path[0], limits::sandbox_name_bytes_max)
      || !http::is_plain_name(path[2], limits::sandbox_name_bytes_max))
    return no_such_route(asked);
  if (core.faults.settings(path[0]).is_out)
    return json_answer(503, R"({"status":"unavailable"})");
  if (path.size() == 3 && asked.method == "PUT")
    return put_file(core, path[0], path[2], asked);
  if (path.size() == 4 && asked.method == "GET" && path[3] == "results")
    return get_document(core, path[0], path[2], document::results, asked);
  if (path.size() == 4 && asked.method == "GET" && path[3] == "report")
    return get_document(core, path[0], path[2], document::report, asked);
  return no_such_route(asked);
}

} // namespace holdfast::sandbox
