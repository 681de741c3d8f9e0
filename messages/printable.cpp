#include "messages/printable.hpp"

#include <algorithm>

namespace holdfast {

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string out{text.substr(0, bytes_max)};
  std::ranges::replace_if(
    out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

} // namespace holdfast
