// A payment as bytes, for as long as nobody looks at it: with what it points to it takes 1.3
// KiB, packed a quarter of that. Within one process only; what is stored has a form of its own
// (codec.hpp).
#pragma once

#include "messages/payment.hpp"

#include <cstddef>
#include <memory>

namespace holdfast {

class packed_payment {
public:
  packed_payment() = default;
  explicit packed_payment(const payment& subject);

  /// Not of an empty one.
  [[nodiscard]] payment unpack() const;
  [[nodiscard]] bool empty() const noexcept { return !bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

} // namespace holdfast
