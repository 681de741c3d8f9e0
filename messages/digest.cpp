#include "messages/digest.hpp"

#include "messages/assert.hpp"

#include <openssl/evp.h>

namespace holdfast {

namespace {

/// One a thread: fetching the algorithm anew costs more than hashing an event.
class hasher {
public:
  hasher() : method_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
    HF_ASSERT(method_ != nullptr && context_ != nullptr);
  }
  ~hasher() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(method_);
  }
  hasher(const hasher&) = delete;
  hasher& operator=(const hasher&) = delete;

  sha256_bytes hash(std::initializer_list<std::string_view> parts) {
    sha256_bytes out{};
    unsigned int length = 0;
    HF_ASSERT(EVP_DigestInit_ex2(context_, method_, nullptr) == 1);
    for (const auto part : parts)
      HF_ASSERT(EVP_DigestUpdate(context_, part.data(), part.size()) == 1);
    HF_ASSERT(EVP_DigestFinal_ex(context_, out.data(), &length) == 1 && length == out.size());
    return out;
  }

private:
  EVP_MD* method_;
  EVP_MD_CTX* context_;
};

} // namespace

sha256_bytes sha256_of(std::initializer_list<std::string_view> parts) {
  thread_local hasher mine;
  return mine.hash(parts);
}

sha256_bytes sha256(std::string_view data) {
  return sha256_of({data});
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
