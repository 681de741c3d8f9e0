// Finding a PostgreSQL server on this machine.
#include "runtime/embedded/postgres.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

namespace holdfast::embedded {

namespace fs = std::filesystem;

namespace {

constexpr int major_min = 15;
constexpr milliseconds answer_limit{5'000};

expected<std::string> first_line_of(const fs::path& program, const std::string& argument) {
  child_options options;
  options.program = program;
  options.arguments = {program, argument};
  options.log_file = "/dev/null";
  auto text = output_of(std::move(options), answer_limit);
  if (text)
    text->resize(std::min(text->find('\n'), text->size()));
  return text;
}

std::vector<fs::path> path_folders() {
  std::vector<fs::path> folders;
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    if (end > 0)
      folders.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return folders;
}

/// In the order of preference, which only matters between equal versions.
std::vector<fs::path> candidate_folders() {
  const auto in_path = path_folders();
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const auto& folder : in_path) {
    if (!fs::exists(folder / "pg_config", ignored))
      continue;
    if (const auto answer = first_line_of(folder / "pg_config", "--bindir"))
      folders.emplace_back(*answer);
    break;
  }
  for (const auto& version : fs::directory_iterator{"/usr/lib/postgresql", ignored})
    folders.push_back(version.path() / "bin");
  folders.insert(folders.end(), in_path.begin(), in_path.end());
  return folders;
}

/// "postgres (PostgreSQL) 15.8 (Debian …)" → 15; 0 when it is not one.
int major_version(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder / "postgres", ignored) || !fs::exists(folder / "initdb", ignored))
    return 0;
  const auto answer = first_line_of(folder / "postgres", "--version");
  if (!answer)
    return 0;
  const auto digits = answer->find_first_of("0123456789");
  int major = 0;
  if (digits != std::string::npos)
    std::from_chars(answer->data() + digits, answer->data() + answer->size(), major);
  return major;
}

} // namespace

expected<postgres_programs> find_postgres(int major) {
  postgres_programs best;
  for (const auto& folder : candidate_folders()) {
    const int found = major_version(folder);
    if (found >= major_min && found > best.major && (major == 0 || found == major))
      best = {folder, found};
  }
  if (best.major != 0)
    return best;
  const auto wanted = std::to_string(major == 0 ? major_min : major);
  return make_error(errc::unavailable,
                    (major == 0 ? "no PostgreSQL server of version 15 or newer was found"
                                : "the data folder was made by PostgreSQL " + wanted
                                    + ", which was not found")
                      + " (looked in pg_config --bindir, /usr/lib/postgresql and PATH); install it, "
                        "for example with: apt-get install postgresql-"
                      + wanted);
}

} // namespace holdfast::embedded
