// A settlement batch and its items, page by page, as both ports show them.
#pragma once

#include "runtime/api/exchange.hpp"

#include <optional>

namespace holdfast::api {

enum class batch_form : std::uint8_t {
  whole,      ///< the batch, with the page as its `items_data`
  items_only, ///< the page alone
};

/// Answers with the batch that the path names, and the page of its items that the query names.
/// Another owner's batch is absent; none means that the caller may see every merchant's.
void answer_with_batch(storage::store& store, const exchange_ptr& call,
                       const std::optional<merchant_id>& owner, batch_form form);

} // namespace holdfast::api
