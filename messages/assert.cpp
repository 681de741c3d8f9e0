#include "messages/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace holdfast {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  // No logger here: it may be the part that is broken.
  std::fprintf(stderr, "holdfast: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

} // namespace holdfast
