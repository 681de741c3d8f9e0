#include "messages/secret.hpp"

#include <openssl/crypto.h>

#include <ostream>

namespace holdfast {

secret& secret::operator=(const secret& other) {
  if (this != &other) {
    wipe();
    value_ = other.value_;
  }
  return *this;
}

secret& secret::operator=(secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::move(other.value_);
    other.wipe();
  }
  return *this;
}

secret::~secret() {
  wipe();
}

void secret::wipe() noexcept {
  // The small-string buffer counts too, hence capacity and not size.
  OPENSSL_cleanse(value_.data(), value_.capacity());
  value_.clear();
}

std::ostream& operator<<(std::ostream& out, const secret&) {
  return out << "[secret]";
}

} // namespace holdfast
