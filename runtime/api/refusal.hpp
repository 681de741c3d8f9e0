// Why a request is refused before anything was done: what our checks of input return instead of
// a value.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast::api {

/// Becomes a problem document. Never carries what the client sent in a card's fields.
struct refusal {
  std::uint16_t status = 400;
  std::string_view code; ///< a literal: our word for machines
  std::string detail;
  std::string param; ///< the field, query parameter or header at fault; empty for none
};

/// Called by `checked<T>::value()` on a refusal: whoever calls it has claimed that there is
/// none.
[[noreturn]] inline void throw_exception_from_error(const refusal& why,
                                                    const boost::source_location&) {
  throw std::logic_error("expected a value, was refused: " + why.detail);
}

template <class T>
using checked = boost::system::result<T, refusal>;

} // namespace holdfast::api
