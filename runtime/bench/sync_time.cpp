#include "runtime/bench/sync_time.hpp"

#include "messages/limits.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace holdfast::bench {

namespace {

using std::chrono::microseconds;
using steady = std::chrono::steady_clock;

constexpr std::size_t page_bytes = 8'192;

error failed(const std::string& path) {
  return make_error(errc::unavailable, path + ": " + std::generic_category().message(errno));
}

/// A file that nobody finds, gone when it is closed.
class nameless_file {
public:
  explicit nameless_file(std::string path) : fd_(::mkstemp(path.data())) {
    if (fd_ >= 0)
      ::unlink(path.c_str());
  }
  ~nameless_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  nameless_file(const nameless_file&) = delete;
  nameless_file& operator=(const nameless_file&) = delete;

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
  const auto path = (folder / "sync-XXXXXX").string();
  const nameless_file file{path};
  // The WAL's files are there before they are written to: only their content is synced.
  for (std::size_t page = 0; page < limits::bench_syncs; ++page)
    if (!file.write(page))
      return failed(path);
  if (!file.sync())
    return failed(path);
  std::vector<microseconds> each;
  for (std::size_t page = 0; page < limits::bench_syncs; ++page) {
    const auto began = steady::now();
    if (!file.write(page) || !file.sync())
      return failed(path);
    each.push_back(std::chrono::duration_cast<microseconds>(steady::now() - began));
  }
  std::ranges::sort(each);
  return each[each.size() / 2];
}

} // namespace holdfast::bench
