// The simulator's own small words: numbers in place of ids where many are looked up, what a
// client asks, and what it hears.
#pragma once

#include "actors/shard/key_table.hpp"
#include "messages/commands.hpp"
#include "messages/ids.hpp"
#include "messages/payment.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::simulation {

using key_name = shards::key_name;
using key_name_hash = shards::key_name_hash;
using answer_ptr = std::shared_ptr<const storage::stored_answer>;
using state_ptr = std::shared_ptr<const holdfast::payment>;

/// The n-th payment of a world. It stands in the payment's id, so that references lead back.
using payment_ref = std::uint32_t;
inline constexpr payment_ref no_payment = std::numeric_limits<payment_ref>::max();
using client_ref = std::uint32_t;
using node_number = std::uint16_t;
using gateway_number = std::uint16_t;

/// Both are inverse to each other; `random` is what is left of chance in the id.
[[nodiscard]] payment_id make_payment_id(timestamp now, shard_number shard,
                                         std::uint64_t random, payment_ref payment) noexcept;
[[nodiscard]] payment_ref ref_of(const uuid& id) noexcept;
/// The payment and the attempt of a reference as gateways see it (`pay_….1`).
struct attempt_name {
  payment_ref payment = no_payment;
  std::uint32_t attempt = 0;
};
[[nodiscard]] attempt_name parse_attempt(std::string_view reference) noexcept;

/// What one request of a client asks for.
enum class wish : std::uint8_t { create, capture, void_hold, refund };

struct request {
  client_ref client = 0;
  std::uint8_t ask = 0; ///< which of the client's, and so which key
  wish what = wish::create;
  bool final = false;
  bool respond_async = false;
  bool other_body = false; ///< the key's, but not the key's request
  std::uint16_t home_node = 0;
  payment_ref payment = no_payment; ///< of all but a creation
  std::optional<minor_units> amount;
  milliseconds wait{10'000};
};

/// How an answer binds: only a definitive one is stored under its key.
enum class answer_kind : std::uint8_t {
  definitive,
  pending,    ///< 202
  try_again,  ///< 409 in progress, 500, 503
  key_reused, ///< 422
  not_found,  ///< 404
};

struct reply {
  answer_kind kind = answer_kind::try_again;
  answer_ptr answer; ///< of definitive and pending ones
  payment_ref payment = no_payment;
};

} // namespace holdfast::simulation
