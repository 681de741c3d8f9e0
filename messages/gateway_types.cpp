#include "messages/gateway_types.hpp"

namespace holdfast {

std::string_view to_string(gateway_verb verb) noexcept {
  switch (verb) {
    case gateway_verb::authorize: return "authorize";
    case gateway_verb::inquire: return "inquire";
    case gateway_verb::reverse: return "reverse";
    case gateway_verb::capture: return "capture";
    case gateway_verb::refund: return "refund";
  }
  return "unknown";
}

std::string_view to_string(gateway_verdict verdict) noexcept {
  switch (verdict) {
    case gateway_verdict::approved: return "approved";
    case gateway_verdict::declined: return "declined";
    case gateway_verdict::not_found: return "not_found";
    case gateway_verdict::not_sent: return "not_sent";
    case gateway_verdict::unknown: return "unknown";
  }
  return "unknown";
}

} // namespace holdfast
