#include "runtime/embedded/certificate_files.hpp"

#include "runtime/embedded/folder.hpp"

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

#include <sys/stat.h>

namespace holdfast::embedded {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view authority_name = "ca";

struct file {
  fs::path path;
  const std::string& content;
};

expected<void> make_folder(const fs::path& folder) {
  std::error_code failure;
  if (folder.has_parent_path())
    fs::create_directories(folder.parent_path(), failure);
  if (failure || (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST))
    return make_error(errc::unavailable,
                      folder.string() + ": can't be made: "
                        + (failure ? failure.message() : std::strerror(errno)));
  return {};
}

/// All or, where one is there that is to be kept, none.
expected<void> write_all(const fs::path& folder, std::initializer_list<file> files,
                         existing present) {
  for (const auto& each : files)
    if (present == existing::kept && fs::exists(each.path))
      return make_error(errc::conflict,
                        each.path.string() + " is there already; --force replaces it");
  if (auto made = make_folder(folder); !made)
    return made;
  for (const auto& each : files)
    if (auto written = write_private_file(each.path, each.content); !written)
      return written;
  return {};
}

/// Whether the node's certificate still holds so long, and by this authority, and has its key:
/// a crash may have left the key of a new one beside the old one.
bool holds(const authority& by, const certificate_paths& paths, int days_left) {
  const auto certificate = read_file(paths.certificate);
  const auto key = read_file(paths.key);
  const auto until = certificate ? valid_until(*certificate) : certificate.error();
  return until && key && belong_together({*certificate, *key}) && has_issued(by, *certificate)
         && *until > wall_clock_now() + std::chrono::hours{24} * days_left;
}

} // namespace

certificate_paths paths_of(const fs::path& folder, const std::string& node_id) {
  return {folder / (node_id + ".pem"), folder / (node_id + ".key"), folder / "ca.pem"};
}

expected<authority> load_authority(const fs::path& folder) {
  auto certificate = read_file(folder / "ca.pem");
  if (!certificate)
    return certificate.error();
  auto key = read_file(folder / "ca.key");
  if (!key)
    return key.error();
  return authority{std::move(*certificate), std::move(*key)};
}

expected<void> save(const fs::path& folder, const authority& made, existing files) {
  return write_all(
    folder, {{folder / "ca.key", made.key_pem}, {folder / "ca.pem", made.certificate_pem}},
    files);
}

expected<certificate_paths> save(const fs::path& folder, const std::string& node_id,
                                 const identity& made, const authority& by, existing files) {
  if (node_id == authority_name)
    return make_error(errc::invalid_argument,
                      "a node can't be called \"ca\": its files would be the authority's");
  auto paths = paths_of(folder, node_id);
  // Another authority's certificate, whom other files here may rely on, is not replaced; nor is
  // a bundle that has this one's among others.
  const auto ca = read_file(paths.ca);
  const bool same = ca && contains(*ca, by.certificate_pem);
  if (ca && !same && files == existing::kept)
    return make_error(errc::conflict,
                      paths.ca.string() + " is another authority's; --force replaces it");
  const auto written = write_all(
    folder, {{paths.key, made.key_pem}, {paths.certificate, made.certificate_pem}}, files);
  if (!written)
    return written.error();
  if (!same)
    if (auto copied = write_private_file(paths.ca, by.certificate_pem); !copied)
      return copied.error();
  return paths;
}

expected<certificate_paths> keep_issued(const fs::path& folder, const std::string& node_id,
                                        const std::vector<std::string>& hosts, int days_left) {
  auto by = load_authority(folder);
  if (!by && by.error().code == errc::not_found) {
    by = make_authority("holdfast", authority_days);
    if (auto saved = by ? save(folder, *by, existing::kept) : by.error(); !saved)
      return saved.error();
  }
  if (!by)
    return by.error();
  auto paths = paths_of(folder, node_id);
  if (holds(*by, paths, days_left))
    return paths;
  const auto made = issue(*by, node_id, hosts, node_days);
  return made ? save(folder, node_id, *made, *by, existing::replaced) : made.error();
}

} // namespace holdfast::embedded
