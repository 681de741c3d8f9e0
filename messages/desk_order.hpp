// What an operator wants done with an exception, a refused batch or a dead letter.
#pragma once

#include "messages/expected.hpp"
#include "messages/ids.hpp"
#include "messages/money.hpp"

#include <functional>
#include <optional>
#include <string>

namespace holdfast {

enum class order_verb : std::uint8_t { resolve, assign, resubmit_batch, replay };

struct desk_order {
  order_verb verb = order_verb::resolve;
  exception_id exception; ///< of resolve and assign
  batch_id batch;         ///< of resubmit_batch
  dead_letter_id letter;  ///< of replay
  std::string resolution;
  std::string note;
  std::string owner;
  std::string by; ///< who wants it
  std::optional<minor_units> amount;
};

/// Answers with the exception that it was done to; nil for a replay. Errors: not_found,
/// invalid_state and invalid_argument (their detail tells a person what is allowed),
/// unavailable, unknown_outcome.
using desk_callback = std::function<void(expected<exception_id>)>;

} // namespace holdfast
