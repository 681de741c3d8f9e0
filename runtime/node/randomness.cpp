#include "runtime/node/randomness.hpp"

#include "messages/assert.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstddef>

namespace holdfast::runtime {

namespace {

class supply {
public:
  std::uint64_t take() {
    if (used_ == values_.size())
      refill();
    return values_[used_++];
  }

private:
  void refill() {
    auto* bytes = reinterpret_cast<unsigned char*>(values_.data());
    HF_ASSERT(RAND_bytes(bytes, sizeof values_) == 1);
    used_ = 0;
  }

  std::array<std::uint64_t, 512> values_{};
  std::size_t used_ = values_.size();
};

} // namespace

std::uint64_t random_bits() {
  thread_local supply mine;
  return mine.take();
}

} // namespace holdfast::runtime
