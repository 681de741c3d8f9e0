#include "runtime/bench/sync_time.hpp"

#include "messages/limits.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::bench {

namespace {

using std::chrono::microseconds;
using steady = std::chrono::steady_clock;

constexpr std::size_t page_bytes = 8'192;

error failed(const std::filesystem::path& folder) {
  return make_error(errc::unavailable,
                    folder.string() + ": " + std::generic_category().message(errno));
}

/// A file without a name, gone when it is closed.
class nameless_file {
public:
  explicit nameless_file(const std::filesystem::path& folder)
    : fd_(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)) {}
  ~nameless_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  nameless_file(const nameless_file&) = delete;
  nameless_file& operator=(const nameless_file&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] bool write(std::size_t page) const {
    static constexpr std::array<char, page_bytes> bytes{};
    const auto place = static_cast<off_t>(page * page_bytes);
    return ::pwrite(fd_, bytes.data(), bytes.size(), place)
           == static_cast<ssize_t>(bytes.size());
  }
  [[nodiscard]] bool sync() const { return ::fdatasync(fd_) == 0; }

private:
  int fd_;
};

} // namespace

expected<microseconds> median_sync(const std::filesystem::path& folder) {
  const nameless_file file{folder};
  if (!file.is_open())
    return failed(folder);
  // The WAL's files are there before they are written to: only their content is synced.
  for (std::size_t page = 0; page < limits::bench_syncs; ++page)
    if (!file.write(page))
      return failed(folder);
  if (!file.sync())
    return failed(folder);
  std::vector<microseconds> each;
  for (std::size_t page = 0; page < limits::bench_syncs; ++page) {
    const auto began = steady::now();
    if (!file.write(page) || !file.sync())
      return failed(folder);
    each.push_back(std::chrono::duration_cast<microseconds>(steady::now() - began));
  }
  std::ranges::sort(each);
  return each[each.size() / 2];
}

} // namespace holdfast::bench
