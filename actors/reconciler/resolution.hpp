// How a person may end an exception, and what that posts. Pure; docs/reconciliation.md tells
// operators the same.
#pragma once

#include "storage/settlement.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::settlements {

/// What an operator asks for.
struct resolution_wish {
  std::string resolution; ///< retry, adjust, write_off, mark_known or reverse
  std::string note;
  std::string by;
  std::optional<minor_units> amount; ///< of `adjust`, where the exception doesn't tell it
};

/// The resolutions that a class allows, the usual one first.
[[nodiscard]] std::span<const std::string_view> allowed_resolutions(std::string_view kind);

/// The write that resolves it. `adjust` lets the merchant or the acquirer bear what differs,
/// `write_off` the platform; either leaves nothing in suspense or open with the acquirer.
/// `reverse` is decided here as far as its class goes; the gateway must have acknowledged it
/// before it is written. Errors: invalid_state (resolved already, or its item has moved on),
/// invalid_argument (not for this class: which ones are; or an amount where none belongs).
[[nodiscard]] expected<storage::resolve_exception_request> decide_resolution(
  const storage::exception_case& subject, const resolution_wish& wish, timestamp now);

/// The tries that an item begins a new round with, so that a person's word gives it all of
/// them.
[[nodiscard]] std::uint32_t next_round(std::uint32_t tries) noexcept;

} // namespace holdfast::settlements
