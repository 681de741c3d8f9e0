// The part of a transaction that is its payments: those that it adds, and those that it
// changes. Pure.
#pragma once

#include "storage/transaction.hpp"

namespace holdfast::storage {

/// The statements that the columns below are for.
extern const sql add_payments;
extern const sql change_payments;

/// The payment as its last event of the transaction leaves it; each payment once. It must
/// outlive the columns.
struct saved_payment {
  shard_number shard;
  const payment* subject = nullptr;
  std::string_view detail; ///< encoded
  sequence_number last_seq;
};

/// Payments that are not in the database yet.
class added_payments {
public:
  void add(const saved_payment& saved);
  void take_into(std::vector<transaction::step>& steps);

private:
  array_of<uuid> ids_, merchants_;
  array_of<std::int16_t> shards_, statuses_, modes_;
  array_of<std::int64_t> amounts_, captured_, refunded_, disputed_, last_seqs_;
  array_of<std::string_view> currencies_, references_, gateways_, gateway_references_,
    acquirers_;
  array_of<timestamp> created_, updated_, due_, wake_;
  array_of<byte_view> details_;
};

/// Payments whose rows must be there.
class changed_payments {
public:
  void add(const saved_payment& saved);
  void take_into(std::vector<transaction::step>& steps);

private:
  array_of<uuid> ids_;
  array_of<std::int16_t> statuses_;
  array_of<std::int64_t> amounts_, captured_, refunded_, disputed_, last_seqs_;
  array_of<std::string_view> gateways_, gateway_references_, acquirers_;
  array_of<timestamp> updated_, due_;
  array_of<byte_view> details_;
};

} // namespace holdfast::storage
