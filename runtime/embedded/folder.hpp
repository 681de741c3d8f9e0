// The data folder of a private installation: who may use it, and how files are kept in it.
#pragma once

#include "messages/expected.hpp"
#include "runtime/embedded/child.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::embedded {

/// ${XDG_DATA_HOME:-~/.local/share}/holdfast/dev; as root /var/lib/holdfast/dev.
[[nodiscard]] std::filesystem::path default_data_folder();

/// A data folder in use. One process at a time: the others are told who has it.
class data_folder {
public:
  /// Creates the folder if need be and locks it. Waits a little for what a killed owner has
  /// left to end. Errors: conflict (in use, by whom), unavailable.
  [[nodiscard]] static expected<data_folder> open(const std::filesystem::path& path);

  data_folder(data_folder&& other) noexcept;
  data_folder& operator=(data_folder&&) = delete;
  data_folder(const data_folder&) = delete;
  data_folder& operator=(const data_folder&) = delete;
  ~data_folder();

  /// Absolute, without symbolic links.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Creates the sub-folder, for the owner's eyes only. Errors: unavailable.
  [[nodiscard]] expected<std::filesystem::path> folder(std::string_view name) const;

private:
  data_folder(std::filesystem::path path, int lock) noexcept
    : path_(std::move(path)),
      lock_(lock) {}

  std::filesystem::path path_;
  int lock_;
};

/// A fresh folder "holdfast-PURPOSE-…" in `parent`, or where temporary files go, that the
/// database's user can pass through, too. Errors: unavailable.
[[nodiscard]] expected<std::filesystem::path> make_throwaway_folder(
  std::string_view purpose, const std::filesystem::path& parent = {});

/// Replaces the file in one step, readable by the owner only, durable. Errors: unavailable.
[[nodiscard]] expected<void> write_private_file(const std::filesystem::path& path,
                                                std::string_view content);
/// Errors: not_found; unavailable for a failed read; 16 MiB at most.
[[nodiscard]] expected<std::string> read_file(const std::filesystem::path& path);
/// The file's content; made of 32 random bytes in hexadecimal when there is none yet.
[[nodiscard]] expected<std::string> read_or_make_secret(const std::filesystem::path& path);
/// The last lines of a log, to show why its writer died.
[[nodiscard]] std::string last_lines(const std::filesystem::path& path, std::size_t lines);

/// The user that servers run as when we are root: `postgres`, else `nobody`. None when we are
/// not root and they simply run as ourselves. Errors: unavailable when root has no such user.
[[nodiscard]] expected<std::optional<account>> unprivileged_account();
/// Whether this user can work in the folder. Tried for real, so that access lists count too.
[[nodiscard]] bool can_enter(const account& user, const std::filesystem::path& folder);

} // namespace holdfast::embedded
