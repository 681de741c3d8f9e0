// The step on the journal's thread: writes become the statements of a transaction.
#include "messages/assert.hpp"
#include "runtime/bench/synthetic.hpp"
#include "storage/chain.hpp"
#include "storage/transaction.hpp"
#include "tests/bench/operation.hpp"
#include "tests/bench/sample.hpp"

namespace holdfast::bench {

namespace {

constexpr epoch_number epoch{1};
constexpr std::uint16_t shards = 8;

class transaction_writing final : public operation {
public:
  transaction_writing() {
    for (std::uint16_t i = 0; i < shards; ++i)
      heads_[shard_number{i}] = {epoch, {}, storage::empty_chain()};
  }

  void prepare(std::uint64_t number) override {
    writes_.clear();
    for (std::uint64_t i = 0; i < payments_a_transaction; ++i) {
      const auto each = number * payments_a_transaction + i;
      const shard_number shard{static_cast<std::uint16_t>(i % shards)};
      const synthetic_shard where{shard, epoch, sample_merchant()};
      const auto id = payment_id::make(sample_now, shard, each);
      writes_.push_back(storage::encoded(models_.intent(where, id, each), {}));
      writes_.push_back(storage::encoded(models_.approval(where, id, each), {}));
    }
    pointers_.clear();
    for (auto& each : writes_)
      pointers_.push_back(&each);
  }

  void run() override {
    const auto made = storage::transaction::of_writes(pointers_, heads_);
    HF_ASSERT(made.events() == 3 * payments_a_transaction);
  }

private:
  const synthetic_payments models_{sample_now};
  storage::shard_heads heads_;
  std::vector<storage::queued_write> writes_;
  std::vector<storage::queued_write*> pointers_;
};

} // namespace

std::unique_ptr<operation> make_transaction_writing() {
  return std::make_unique<transaction_writing>();
}

} // namespace holdfast::bench
