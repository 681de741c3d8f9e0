// The part of a transaction that gateways' notices bring: the claims by which each is recorded
// once, and the disputes that some of them open or end. Pure.
#pragma once

#include "storage/transaction.hpp"

namespace holdfast::storage {

/// The statements that the columns below are for.
extern const sql claim_webhooks;
extern const sql save_disputes;

/// A claim that returns no row names a notice that was recorded before.
class webhook_columns {
public:
  void add(shard_number shard, const webhook_claim& claim);
  void take_into(std::vector<transaction::step>& steps);

private:
  array_of<std::string_view> gateways_, event_ids_;
  array_of<std::int16_t> shards_;
  array_of<uuid> subjects_;
  array_of<timestamp> received_;
};

class dispute_columns {
public:
  void add(shard_number shard, const payment& of, const dispute& subject);
  void take_into(std::vector<transaction::step>& steps);

private:
  array_of<uuid> ids_, payments_, merchants_;
  array_of<std::int16_t> shards_, statuses_;
  array_of<std::int32_t> ordinals_;
  array_of<std::int64_t> amounts_, reserved_;
  array_of<timestamp> opened_, closed_;
};

} // namespace holdfast::storage
