#include "storage/many_databases.hpp"

#include "messages/assert.hpp"
#include "storage/many_leases.hpp"
#include "storage/many_stores.hpp"

namespace holdfast::storage {

namespace {

/// Writes are their shard's, so they go to its database and know of no other.
class many_journals final : public journal {
public:
  many_journals(const shard_layout& layout, std::vector<journal*> parts)
    : layout_(layout),
      parts_(std::move(parts)) {}

  void open_shard(shard_number shard, epoch_number epoch, sequence_number last_seq,
                  std::string chain) override {
    of(shard).open_shard(shard, epoch, last_seq, std::move(chain));
  }
  void close_shard(shard_number shard, std::function<void()> done) override {
    of(shard).close_shard(shard, std::move(done));
  }
  void submit(journal_write write, write_callback done) override {
    const auto shard = write.shard;
    of(shard).submit(std::move(write), std::move(done));
  }
  void barrier(shard_number shard, std::function<void()> done) override {
    of(shard).barrier(shard, std::move(done));
  }
  void run(shard_number shard, epoch_number epoch,
           std::unique_ptr<unit_of_work> work) override {
    of(shard).run(shard, epoch, std::move(work));
  }

private:
  [[nodiscard]] journal& of(shard_number shard) const {
    return *parts_[layout_.database_of(shard)];
  }

  const shard_layout layout_;
  const std::vector<journal*> parts_;
};

/// What `pick` answers of each part.
template <class Pick>
auto of_each(const std::vector<std::unique_ptr<database>>& parts, Pick pick) {
  std::vector<decltype(&pick(*parts.front()))> picked;
  for (const auto& part : parts)
    picked.push_back(&pick(*part));
  return picked;
}

class many_databases final : public database {
public:
  many_databases(shard_layout layout, std::vector<std::unique_ptr<database>> parts)
    : layout_(std::move(layout)),
      parts_(std::move(parts)),
      journal_(layout_,
               of_each(parts_, [](database& one) -> class journal& { return one.journal(); })),
      store_(layout_,
             of_each(parts_, [](database& one) -> class store& { return one.store(); })),
      settlement_(layout_, of_each(parts_, [](database& one) -> settlement_store& {
                    return one.settlement();
                  })) {}

  uuid cluster_id() const override { return parts_.front()->cluster_id(); }
  class journal& journal() override {
    return journal_;
  }
  class store& store() override {
    return store_;
  }
  settlement_store& settlement() override { return settlement_; }

  journal_figures figures() const override {
    journal_figures sum;
    for (const auto& part : parts_) {
      const auto one = part->figures();
      sum.transactions += one.transactions;
      sum.writes += one.writes;
      sum.events += one.events;
      sum.failed_writes += one.failed_writes;
      sum.queued += one.queued;
    }
    return sum;
  }

  void observe_commits(commit_observer observer) override {
    for (const auto& part : parts_)
      part->observe_commits(observer);
  }

  void end_reads() override {
    for (const auto& part : parts_)
      part->end_reads();
  }

  std::unique_ptr<lease_keeper> keep_leases(lease_events events) override {
    return join_keepers(layout_,
                        of_each(parts_, [](database& one) -> database& { return one; }),
                        std::move(events));
  }

  std::vector<shard_number> behind() const override {
    std::vector<shard_number> all;
    for (const auto& part : parts_)
      for (const auto shard : part->behind())
        all.push_back(shard);
    return all;
  }

private:
  const shard_layout layout_;
  const std::vector<std::unique_ptr<database>> parts_;
  many_journals journal_;
  many_stores store_;
  many_settlement_stores settlement_;
};

} // namespace

std::unique_ptr<database> join_databases(shard_layout layout,
                                         std::vector<std::unique_ptr<database>> parts) {
  HF_ASSERT(parts.size() > 1 && parts.size() == layout.ranges().size());
  return std::make_unique<many_databases>(std::move(layout), std::move(parts));
}

} // namespace holdfast::storage
