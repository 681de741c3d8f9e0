// The name of a batch item: the id of the capture or refund that it settles.
#pragma once

#include "messages/payment.hpp"

#include <string>
#include <string_view>

namespace holdfast {

struct item_id {
  operation_kind kind = operation_kind::capture; ///< or refund; voids are never settled
  uuid value;

  /// `cap_…` or `ref_…`.
  [[nodiscard]] std::string text() const;
  /// Errors: invalid_argument.
  [[nodiscard]] static expected<item_id> parse(std::string_view text);
};

} // namespace holdfast
