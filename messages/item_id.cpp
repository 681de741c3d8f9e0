#include "messages/item_id.hpp"

namespace holdfast {

std::string item_id::text() const {
  return kind == operation_kind::refund ? refund_id{value}.text() : capture_id{value}.text();
}

expected<item_id> item_id::parse(std::string_view text) {
  if (const auto capture = capture_id::parse(text))
    return item_id{operation_kind::capture, capture->value};
  if (const auto refund = refund_id::parse(text))
    return item_id{operation_kind::refund, refund->value};
  return make_error(errc::invalid_argument, "expected an id that begins with cap_ or ref_");
}

} // namespace holdfast
