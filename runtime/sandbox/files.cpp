#include "runtime/sandbox/files.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

class descriptor {
public:
  explicit descriptor(int number) noexcept : number_(number) {}
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

private:
  int number_;
};

error failed(const std::string& path, const char* what) {
  return make_error(errc::unavailable,
                    path + ": " + what + ": " + std::generic_category().message(errno));
}

} // namespace

expected<void> write_file(const std::string& path, std::string_view bytes, durability how) {
  const auto draft = path + ".new";
  {
    const descriptor file{
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (!file.is_open())
      return failed(draft, "can't create it");
    while (!bytes.empty()) {
      const auto size = ::write(file.get(), bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR)
        continue;
      if (size <= 0)
        return failed(draft, "can't write it");
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    if (how == durability::synced && ::fsync(file.get()) != 0)
      return failed(draft, "can't sync it");
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0)
    return failed(path, "can't replace it");
  return {};
}

expected<std::string> read_file(const std::string& path) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (!file.is_open() || ::fstat(file.get(), &about) != 0)
    return failed(path, "can't open it");
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto size = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return failed(path, "can't read it");
    filled += static_cast<std::size_t>(size);
  }
  return bytes;
}

} // namespace holdfast::sandbox
