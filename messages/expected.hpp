// The one error type of the project. Expected failures are values that carry a documented code;
// exceptions are left to programming errors and never cross a component's border.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast {

/// What went wrong, as far as a caller can act on it.
enum class errc : std::uint8_t {
  invalid_argument, ///< The caller's input is wrong; repeating it is useless.
  not_found,        ///< Looked, and there is none. Never used for a failed look.
  invalid_state,    ///< The operation is not allowed in the present state.
  amount_too_large, ///< More than what is left to capture or refund.
  conflict,         ///< A unique key is taken.
  not_owner,        ///< The shard's epoch has moved on: nothing was written.
  rejected,         ///< The database refused these rows; other writes went through.
  unavailable,      ///< The component can't be reached; nothing was done.
  unknown_outcome,  ///< It may or may not have happened. A timeout is this, not a no.
  overloaded,       ///< A limit was reached; nothing was done, try later.
  corrupt,          ///< Stored data contradicts itself.
  internal,         ///< A bug of ours.
};

[[nodiscard]] std::string_view to_string(errc code) noexcept;

struct error {
  errc code = errc::internal;
  /// For a person who reads a log. Carries no card data and no secret.
  std::string detail;
};

/// Called by `expected<T>::value()` on an error: whoever calls it has claimed that there is
/// none.
[[noreturn]] inline void throw_exception_from_error(const error& failure,
                                                    const boost::source_location&) {
  throw std::logic_error("expected a value, got " + failure.detail);
}

template <class T>
using expected = boost::system::result<T, error>;

[[nodiscard]] inline error make_error(errc code, std::string detail) {
  return {code, std::move(detail)};
}

} // namespace holdfast
