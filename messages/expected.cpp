#include "messages/expected.hpp"

namespace holdfast {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::invalid_argument: return "invalid_argument";
    case errc::not_found: return "not_found";
    case errc::invalid_state: return "invalid_state";
    case errc::amount_too_large: return "amount_too_large";
    case errc::conflict: return "conflict";
    case errc::not_owner: return "not_owner";
    case errc::rejected: return "rejected";
    case errc::unavailable: return "unavailable";
    case errc::unknown_outcome: return "unknown_outcome";
    case errc::overloaded: return "overloaded";
    case errc::corrupt: return "corrupt";
    case errc::internal: return "internal";
  }
  return "internal";
}

} // namespace holdfast
