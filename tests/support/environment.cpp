#include "tests/support/environment.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace holdfast::test {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr)
    return otherwise;
  std::from_chars(text, text + std::string_view{text}.size(), otherwise);
  return otherwise;
}

} // namespace holdfast::test
