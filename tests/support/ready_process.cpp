#include "tests/support/ready_process.hpp"

#include "runtime/embedded/folder.hpp"

#include <boost/json.hpp>

namespace holdfast::test {

namespace json = boost::json;

namespace {

/// Nothing while there is none, or it can't be read yet.
std::optional<json::object> read_ready_file(const std::filesystem::path& path) {
  const auto content = embedded::read_file(path);
  boost::system::error_code bad;
  auto document = content ? json::parse(*content, bad) : json::value{};
  if (!content || bad || !document.is_object())
    return std::nullopt;
  return std::move(document.as_object());
}

} // namespace

ready_process::ready_process(std::string program, const std::filesystem::path& folder,
                             const std::string& name)
  : program_(std::move(program)),
    ready_(folder / (name + ".json")),
    log_(folder / (name + ".log")) {}

std::optional<json::object> ready_process::start(
  std::vector<std::string> arguments,
  std::vector<std::pair<std::string, std::string>> environment) {
  std::error_code ignored;
  std::filesystem::remove(ready_, ignored);
  command what;
  what.program = program_;
  what.arguments = std::move(arguments);
  what.arguments.insert(what.arguments.end(), {"--ready-file", ready_});
  what.environment = std::move(environment);
  what.log = log_;
  child_ = test::start(what);
  std::optional<json::object> places;
  static_cast<void>(eventually(process_patience, [&] {
    places = read_ready_file(ready_);
    return places || !child_->running();
  }));
  return places;
}

} // namespace holdfast::test
