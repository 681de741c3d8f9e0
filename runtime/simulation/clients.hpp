// Simulated merchants' programs: each drives one payment, repeats what it got no answer to, on
// whichever node is said to own its shard, and races its own captures, voids and refunds.
#pragma once

#include "runtime/simulation/agenda.hpp"
#include "runtime/simulation/types.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace holdfast::simulation {

class world;

/// How the issuers take a payment's card.
enum class card_kind : std::uint8_t {
  good,
  bad,      ///< declined everywhere
  disputed, ///< declined by the first gateway that is asked, in a way that another may not
};

class clients {
public:
  clients(world& of, std::size_t payments, std::size_t merchants);

  /// Lets them come, spread over the time.
  void begin(microseconds over);
  void hear(const request& about, const reply& what);

  [[nodiscard]] std::size_t open() const noexcept { return open_; }
  /// A client that still waits for a definitive answer; none: the number of clients.
  [[nodiscard]] client_ref some_open() const noexcept;
  [[nodiscard]] payment_ref payment_of(client_ref number) const { return all_[number].payment; }

  [[nodiscard]] std::size_t merchant_of(client_ref number) const {
    return all_[number].merchant;
  }
  [[nodiscard]] create_payment order_of(const request& what) const;
  [[nodiscard]] card_kind card_of(client_ref number) const { return all_[number].card; }
  [[nodiscard]] gateway_number first_gateway_of(client_ref number) const {
    return all_[number].first_gateway;
  }

private:
  enum class ask_state : std::uint8_t { none, planned, open, succeeded, refused, abandoned };

  struct ask {
    wish what = wish::create;
    ask_state state = ask_state::none;
    std::uint8_t stage = 0; ///< asks of one stage are made at once
    bool final = false;
    std::uint16_t tries = 0;
    std::int64_t amount = 0; ///< 0: all that is left
  };

  static constexpr std::size_t asks_max = 6;

  struct client {
    std::size_t merchant = 0;
    std::int64_t amount = 0;
    bool automatic = false;
    card_kind card = card_kind::good;
    gateway_number first_gateway = 0;
    bool tries_other_body = false;
    std::uint8_t asks = 0;
    std::uint8_t stage = 0;
    payment_ref payment = no_payment;
    std::array<ask, asks_max> all{};
  };

  void plan(client& one);
  void plan_stage(client& one, std::initializer_list<ask> asks);
  void begin_stage(client_ref number);
  void send(client_ref number, std::uint8_t which);
  void submit(const request& what, node_number to);
  void repeat(client_ref number, std::uint8_t which, microseconds pause);
  void ended(client_ref number, std::uint8_t which, const reply& what);
  void try_other_body(const request& about);
  [[nodiscard]] request request_of(client_ref number, std::uint8_t which) const;

  world& world_;
  std::vector<client> all_;
  std::size_t open_ = 0;
};

} // namespace holdfast::simulation
