// What the search for orphans needs of a gateway's wire: its list of recent authorizations.
#pragma once

#include "messages/expected.hpp"
#include "messages/money.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::gateways {

/// How an authorization stands at the gateway.
enum class listed_status : std::uint8_t { approved, declined, reversed };

struct listed_authorization {
  std::string reference; ///< ours, where it is ours
  std::string gateway_reference;
  listed_status status = listed_status::approved;
  minor_units amount;
  minor_units captured;
  currency unit;
  std::int64_t seq = 0; ///< The list goes on behind it.
  timestamp at;
  std::string raw; ///< as the gateway says it, bounded
};

struct authorization_page {
  std::vector<listed_authorization> rows; ///< oldest first
  bool has_more = false;
};

/// Thread-safe. `done` runs exactly once, on any thread. Errors: unavailable (no answer, or one
/// that decides nothing).
class authorization_lister {
public:
  virtual ~authorization_lister() = default;
  /// Authorizations that came at or after `since`, behind `after` (0: from the first).
  virtual void list(timestamp since, std::int64_t after, std::size_t limit,
                    milliseconds timeout,
                    std::function<void(expected<authorization_page>)> done) = 0;
};

} // namespace holdfast::gateways
