// Problem documents (RFC 9457): the one form in which anything is refused, by the HTTP engine,
// the API's checks and the actors alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

struct problem {
  std::uint16_t status = 500;
  std::string_view code; ///< our stable word for machines, e.g. "amount_too_large"
  std::string detail;    ///< what is wrong and what to do, for people; no card data
  std::string instance;  ///< the path of the request
  std::string request_id;
  std::string param;        ///< the field at fault, dotted ("payment_method.card.number")
  std::string decline_code; ///< of a declined payment
  std::string payment_json; ///< a rendered payment, embedded as `payment`
};

/// The document's bytes. `title` follows from the code, `type` is
/// "urn:holdfast:problem:<code>".
[[nodiscard]] std::string to_json(const problem& document);

inline constexpr std::string_view problem_content_type = "application/problem+json";

} // namespace holdfast
