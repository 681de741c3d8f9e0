#include "runtime/cli/descriptors.hpp"

#include <sys/resource.h>

namespace holdfast::cli {

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  // Refused, the lower limit stays: connections beyond it are refused one by one.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

} // namespace holdfast::cli
