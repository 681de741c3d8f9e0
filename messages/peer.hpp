// What nodes ask of each other, and how it is answered: the messages that cross between them,
// as messages/envelope.hpp encodes them.
#pragma once

#include "messages/commands.hpp"
#include "messages/desk_order.hpp"
#include "messages/exceptions.hpp"
#include "messages/shard.hpp"
#include "messages/webhook.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::links {

// -- what is asked ----------------------------------------------------------------------------

/// A merchant's command, for the owner of its shard. Never handed on by who receives it.
struct command_for_shard {
  shard_number shard;
  merchant_command command;
};

/// A gateway's notice, likewise.
struct notice_for_shard {
  webhook_notice notice;
  std::string request_id;
};

/// An operator's order, likewise.
struct order_for_shard {
  shard_number shard;
  desk_order order;
};

/// Found by the search for orphans, which runs on one node for all shards.
struct exceptions_for_shard {
  shard_number shard;
  std::vector<new_exception> exceptions;
};

/// Close the batches of all shards that you serve.
struct cutoff_for_node {
  std::optional<merchant_id> merchant;
  timestamp captured_before;
  bool settle = false;
};

/// An operator's order about a gateway's breaker: each node has its own.
struct breaker_for_node {
  std::string gateway;
  bool trip = false; ///< else reset
  std::optional<milliseconds> duration;
  std::string by;
  std::string note;
};

/// These shards are free now: look whether they are yours. Needs no answer.
struct shards_released {
  std::vector<shard_number> shards;
};

using peer_request =
  std::variant<command_for_shard, notice_for_shard, order_for_shard, exceptions_for_shard,
               cutoff_for_node, breaker_for_node, shards_released>;

// -- how it is answered -----------------------------------------------------------------------

/// The shard isn't served where it was asked: nothing was done. The owner, if it is known.
struct not_owner {
  std::string owner;
  epoch_number epoch;
};

struct cutoff_answer {
  bool ok = false;
  std::vector<shard_number> shards; ///< that were asked: all that the node had
  std::uint32_t batches = 0;
  std::uint64_t items = 0;
  std::uint32_t files = 0;
  std::uint32_t reconciled = 0;
  std::uint32_t exceptions = 0;
  std::string detail;
};

struct accepted {}; ///< of what needs no more of an answer

using peer_answer =
  std::variant<api_reply, expected<exception_id>, cutoff_answer, not_owner, accepted>;

} // namespace holdfast::links
