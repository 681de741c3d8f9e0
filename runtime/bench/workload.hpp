// What merchants ask of the node in each mode, and what they make of its answers. No clock, no
// I/O: the load generator (load.hpp) carries it.
#pragma once

#include "messages/ids.hpp"
#include "runtime/http/client.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

/// The merchants whose keys the requests carry. Which one a journey belongs to depends on its
/// number alone.
class merchants {
public:
  /// `skew` is Zipf's exponent: 0 is uniform, and with 2 the first of a thousand has three
  /// fifths.
  merchants(std::vector<std::string> api_keys, double skew);

  [[nodiscard]] const std::string& key_of(std::uint64_t journey) const;

private:
  std::vector<std::string> authorizations_; ///< values of the header
  std::vector<double> share_up_to_;
};

/// One errand of a client: a request, or several that follow each other.
struct journey {
  std::uint64_t index = 0;
  std::uint32_t step = 0;
  payment_id payment; ///< Nil until it is known.
};

enum class heard : std::uint8_t {
  done,      ///< The journey is at its end, as it was meant.
  goes_on,   ///< Its next request is to be sent.
  unsettled, ///< Nobody knows yet, or it was turned away: to be asked again later.
  wrong,     ///< An answer that must not be.
};

class workload {
public:
  virtual ~workload() = default;
  [[nodiscard]] virtual http::call request_of(const journey& one) const = 0;
  /// Moves the journey on.
  [[nodiscard]] virtual heard take(journey& one, const http::call_result& answer) const = 0;
};

/// An answered payment, as replays and reads need it.
struct known_payment {
  std::uint64_t journey = 0; ///< that has made it
  payment_id id;
};

/// How a merchant gives its journeys idempotency keys that no other run has.
struct naming {
  std::shared_ptr<const merchants> of;
  std::string run;
};

enum class ending : std::uint8_t {
  authorized,         ///< the authorization alone
  captured_by_second, ///< a capture of its own follows
  captured_at_once,   ///< `capture: automatic`
  pending,            ///< 202 as soon as the intent is durable (`Prefer: respond-async`)
};
[[nodiscard]] std::unique_ptr<workload> make_payments(naming who, ending how);
/// The same creation once more, key and all; the answer must say that it is a replay and name
/// the same payment.
[[nodiscard]] std::unique_ptr<workload> make_replays(naming who,
                                                     std::vector<known_payment> known);
[[nodiscard]] std::unique_ptr<workload> make_reads(naming who,
                                                   std::vector<known_payment> known);

/// The id of a payment object, which begins with it. Nil when there is none.
[[nodiscard]] payment_id payment_in(std::string_view body);

} // namespace holdfast::bench
