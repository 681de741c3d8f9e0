#include "messages/thread_name.hpp"

#include <algorithm>
#include <array>

#include <sys/prctl.h>

namespace holdfast {

void name_this_thread(std::string_view name) noexcept {
  std::array<char, 16> text{};
  std::copy_n(name.begin(), std::min(name.size(), text.size() - 1), text.begin());
  ::prctl(PR_SET_NAME, text.data());
}

} // namespace holdfast
