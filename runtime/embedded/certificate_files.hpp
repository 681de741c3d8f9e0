// Certificates in a folder: ca.pem and ca.key of the authority, and of each node ID.pem and
// ID.key. Readable by their owner only.
#pragma once

#include "runtime/embedded/certificates.hpp"

#include <filesystem>
#include <string>

namespace holdfast::embedded {

/// What [cluster] tls of a node names.
struct certificate_paths {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path ca;
};

/// What becomes of files that are there already.
enum class existing : std::uint8_t { kept, replaced };

[[nodiscard]] certificate_paths paths_of(const std::filesystem::path& folder,
                                         const std::string& node_id);

/// Errors: not_found, unavailable.
[[nodiscard]] expected<authority> load_authority(const std::filesystem::path& folder);

// The folders are made if need be. Errors: conflict (a file is there and is to be kept: nothing
// was written), invalid_argument, unavailable.

[[nodiscard]] expected<void> save(const std::filesystem::path& folder, const authority& made,
                                  existing files);
/// The authority's certificate is put beside the node's, so that the folder is all that the
/// node needs.
[[nodiscard]] expected<certificate_paths> save(const std::filesystem::path& folder,
                                               const std::string& node_id, const identity& made,
                                               const authority& by, existing files);

/// The node's files of this folder, issued anew unless they hold for `days_left` days more. An
/// authority is made when there is none. Errors: as above.
[[nodiscard]] expected<certificate_paths> keep_issued(const std::filesystem::path& folder,
                                                      const std::string& node_id,
                                                      const std::vector<std::string>& hosts,
                                                      int days_left);

} // namespace holdfast::embedded
