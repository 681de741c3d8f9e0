#include "tests/unit/actors/settlement_fixtures.hpp"

#include "tests/unit/actors/fixtures.hpp"

namespace holdfast::tests {

namespace {

constexpr shard_number shard{7};

storage::batch_view batch_of(std::uint64_t number, const char* unit) {
  storage::batch_view batch;
  batch.id = batch_id::make(noon(), shard, number);
  batch.merchant = test_merchant(number);
  batch.acquirer = "acquirer-one";
  batch.unit = unit_of(unit);
  return batch;
}

storage::batch_item_view item_of(std::uint64_t number, operation_kind kind,
                                 std::uint32_t ordinal, std::int64_t amount) {
  storage::batch_item_view item;
  item.operation = make_uuid(noon(), shard, 100 + number);
  item.kind = kind;
  item.ordinal = ordinal;
  item.payment = payment_id::make(noon(), shard, 200 + number);
  item.amount = minor_units{amount};
  item.gateway = "alpha";
  item.gateway_reference = "gw-" + std::to_string(number);
  return item;
}

} // namespace

file_id test_file() {
  return file_id::make(noon(), shard, 9);
}

merchant_id test_merchant(std::uint64_t number) {
  return merchant_id::make(noon(), shard, 300 + number);
}

std::vector<storage::batch_content> test_batches() {
  return {{batch_of(1, "EUR"),
           {item_of(1, operation_kind::capture, 1, 1'000),
            item_of(2, operation_kind::capture, 2, 2'550),
            item_of(3, operation_kind::refund, 1, 400)}},
          {batch_of(2, "JPY"), {item_of(4, operation_kind::capture, 1, 300)}}};
}

std::string reference_of(const storage::batch_item_view& item) {
  return operation_reference(item.payment, item.kind, item.ordinal);
}

} // namespace holdfast::tests
