// What a lease keeper asks of the table of leases. Each function is one question with a
// deadline; its errors are the connection's. The keeper decides when and for which shards.
#pragma once

#include "storage/connection.hpp"
#include "storage/leases.hpp"
#include "storage/sequence_marks.hpp"

#include <map>
#include <string>
#include <vector>

namespace holdfast::storage {

/// In whose name, over which connection, for how long.
struct lease_context {
  connection& db;
  const std::string& owner;
  milliseconds lease;
  int writer_pid = 0; ///< the server's process that writes for us; 0: none
  steady_time deadline;
};

/// How long a take-over waits for what the owner before has under way. A part of a lease only,
/// for meanwhile nothing that is held is renewed.
[[nodiscard]] milliseconds take_over_wait(milliseconds lease);

using shard_epochs = std::map<shard_number, epoch_number>;

/// The shards that are ours still, and now are for another lease.
[[nodiscard]] expected<std::vector<shard_number>> renew_leases(const lease_context& in,
                                                               const shard_epochs& held);

/// Others may take them at once. Those that are not ours any more are left alone.
[[nodiscard]] expected<void> free_leases(const lease_context& in, const shard_epochs& held);

/// What a take-over came to; shards that somebody else holds are in neither list.
struct take_over_end {
  struct behind_shard {
    shard_number shard;
    sequence_number has;
    sequence_number known;
  };
  std::vector<acquired_shard> taken;
  std::vector<behind_shard> behind; ///< their logs lack what was acknowledged once
};

/// Takes those of the shards that are free, expired, or ours by name from a life before. Errors
/// leave a transaction open: see `roll_back`.
[[nodiscard]] expected<take_over_end> take_over(const lease_context& in,
                                                const std::vector<shard_number>& shards,
                                                const sequence_marks& marks);
void roll_back(const lease_context& in);

/// Ends the transactions of whoever held these shards and may not any more, and so stands in
/// the way of a take-over. How many there were.
[[nodiscard]] expected<int> end_holders(const lease_context& in,
                                        const std::vector<shard_number>& shards);

/// Errors: not_found when no such node is known; an empty name unpins.
[[nodiscard]] expected<void> pin_shards(const lease_context& in, shard_range shards,
                                        const std::string& node);

/// By shard.
[[nodiscard]] expected<std::vector<lease_row>> read_leases(const lease_context& in);

} // namespace holdfast::storage
