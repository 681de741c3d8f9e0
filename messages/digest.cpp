#include "messages/digest.hpp"

#include "messages/assert.hpp"

#include <openssl/evp.h>

namespace holdfast {

sha256_bytes sha256(std::string_view data) {
  sha256_bytes out{};
  unsigned length = 0;
  const auto ok =
    EVP_Digest(data.data(), data.size(), out.data(), &length, EVP_sha256(), nullptr);
  HF_ASSERT(ok == 1 && length == out.size());
  return out;
}

std::string sha256_hex(std::string_view data) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(64);
  for (const auto byte : sha256(data)) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

} // namespace holdfast
