// The simulated ledger: what the database would refuse, it refuses; what it holds can be
// summed.
#pragma once

#include "messages/ledger.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace holdfast::simulation {

struct account_hash {
  std::size_t operator()(const account& where) const noexcept;
};

class ledger {
public:
  static constexpr std::size_t kinds = static_cast<std::size_t>(account_kind::suspense) + 1;
  /// Sums by account kind.
  using totals = std::array<std::int64_t, kinds>;

  /// Null, or why the posting must not be: it does not balance, or was posted before. Then
  /// nothing has changed.
  [[nodiscard]] const char* post(const posting& entry);

  [[nodiscard]] std::int64_t balance(const account& where) const;
  /// Over all accounts of the kind, whatever their currency: amounts of a world have one.
  [[nodiscard]] const totals& sums() const noexcept { return sums_; }

private:
  struct posting_name {
    posting_kind kind;
    uuid subject;
    std::uint32_t ordinal;

    friend bool operator==(const posting_name&, const posting_name&) noexcept = default;
  };
  struct posting_name_hash {
    std::size_t operator()(const posting_name& name) const noexcept {
      return std::hash<uuid>{}(name.subject) ^ static_cast<std::size_t>(name.kind) << 8
             ^ name.ordinal;
    }
  };

  std::unordered_map<account, std::int64_t, account_hash> balances_;
  std::unordered_set<posting_name, posting_name_hash> posted_;
  totals sums_{};
};

} // namespace holdfast::simulation
