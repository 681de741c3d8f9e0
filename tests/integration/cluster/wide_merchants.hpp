// Payments to a shard of one's choice: one merchant a database whose payments go to all of its
// shards, by their idempotency keys.
#pragma once

#include "messages/ids.hpp"
#include "messages/shard.hpp"
#include "tests/integration/crash_audit.hpp"
#include "tests/support/cluster.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::test {

class wide_merchants {
public:
  /// Makes them; some node must serve.
  explicit wide_merchants(const cluster& on);

  /// To an audit of the same cluster.
  void introduce(crash_audit& to) const;

  [[nodiscard]] const std::string& api_key(shard_number shard) const;
  [[nodiscard]] merchant_id id(shard_number shard) const;
  /// A key that nobody has used, which leads the merchant's payment to the shard.
  [[nodiscard]] std::string key_to(shard_number shard);

private:
  struct merchant {
    merchant_id id;
    std::string api_key;
    shard_range range;
  };
  [[nodiscard]] const merchant& of(shard_number shard) const;

  std::vector<merchant> merchants_; ///< one a database
  std::uint64_t keys_ = 0;
};

} // namespace holdfast::test
