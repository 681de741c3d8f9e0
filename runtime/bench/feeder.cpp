#include "runtime/bench/feeder.hpp"

#include "actors/payment/core.hpp"
#include "messages/limits.hpp"
#include "runtime/bench/baseline.hpp"
#include "runtime/bench/synthetic.hpp"
#include "storage/database.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace holdfast::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr milliseconds look_again{100};
constexpr milliseconds lease_limit{30'000};
/// From one payment to the next, as their ids tell: ids grow as they do in a busy node.
constexpr std::chrono::microseconds apart{100};

/// What the journal's and the lease keeper's threads tell the feeder.
class inbox {
public:
  struct written {
    std::size_t slot = 0;
    storage::write_result result;
  };

  void take(storage::acquired_shard shard) {
    put([&] { shards_.push_back(std::move(shard)); });
  }
  void take(std::size_t slot, storage::write_result result) {
    put([&] { writes_.push_back({slot, std::move(result)}); });
  }

  /// Waits a little when there is nothing.
  [[nodiscard]] std::vector<written> writes() { return drain(writes_); }
  [[nodiscard]] std::vector<storage::acquired_shard> shards() { return drain(shards_); }

private:
  template <class Change>
  void put(Change change) {
    {
      const std::scoped_lock lock{mutex_};
      change();
    }
    changed_.notify_one();
  }

  template <class T>
  std::vector<T> drain(std::vector<T>& from) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, look_again, [&] { return !from.empty(); });
    return std::exchange(from, {});
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<storage::acquired_shard> shards_;
  std::vector<written> writes_;
};

class feeder {
public:
  feeder(const std::string& url, const feed_plan& plan,
         const std::function<expected<void>(std::uint64_t)>& check)
    : url_(url),
      plan_(plan),
      check_(check),
      payments_(plan.dated),
      slots_(limits::bench_ceiling_writes) {}

  expected<feed_result> run() {
    if (auto opened = open(); !opened)
      return opened.error();
    began_ = steady::now();
    for (std::size_t slot = 0; slot < slots_.size() && !is_over(); ++slot)
      begin(slot);
    while (under_way_ > 0) {
      if (auto well = take_results(); !well)
        return well.error();
    }
    result_.seconds = std::chrono::duration<double>(steady::now() - began_).count();
    leases_->release_all();
    return result_;
  }

private:
  /// A payment that is being written.
  struct slot_state {
    payment_id id;
    std::uint64_t number = 0;
    std::size_t shard = 0;
    bool has_intent = false;
  };

  expected<void> open() {
    auto opened = storage::open_database(whole_database(url_, "feeder"));
    if (!opened)
      return opened.error();
    database_ = std::move(*opened);
    return own_shards(whole_cluster().shards);
  }

  expected<void> own_shards(std::uint16_t count) {
    const auto inbox = inbox_;
    storage::lease_events heard;
    heard.acquired = [inbox](storage::acquired_shard shard) { inbox->take(std::move(shard)); };
    leases_ = database_->keep_leases(std::move(heard));
    std::vector<shard_number> wanted;
    for (std::uint16_t i = 0; i < count; ++i)
      wanted.push_back({i});
    leases_->want(std::move(wanted));
    const auto deadline = steady::now() + lease_limit;
    while (shards_.size() < count) {
      for (auto& shard : inbox_->shards()) {
        database_->journal().open_shard(shard.shard, shard.epoch, shard.last_seq, shard.chain);
        shards_.push_back({shard.shard, shard.epoch,
                           merchant_id::make(wall_clock_now(), shard.shard, random_.next())});
      }
      if (steady::now() > deadline)
        return make_error(errc::unavailable, "the shards can't be had");
      if (auto well = check_(0); !well)
        return well;
    }
    return {};
  }

  /// Whether no other payment begins.
  [[nodiscard]] bool is_over() const {
    return plan_.payments > 0 ? next_number_ >= plan_.payments
                              : steady::now() - began_ >= plan_.length;
  }

  void begin(std::size_t slot) {
    auto& state = slots_[slot];
    state.number = next_number_++;
    state.shard = state.number % shards_.size();
    state.has_intent = false;
    const auto& where = shards_[state.shard];
    state.id = payment_id::make(plan_.dated + apart * static_cast<std::int64_t>(state.number),
                                where.number, random_.next());
    ++under_way_;
    submit(slot, payments_.intent(where, state.id, state.number));
  }

  void submit(std::size_t slot, storage::journal_write write) {
    database_->journal().submit(std::move(write),
                                [inbox = inbox_, slot](storage::write_result result) {
                                  inbox->take(slot, std::move(result));
                                });
  }

  expected<void> take_results() {
    for (const auto& [slot, result] : inbox_->writes()) {
      if (result.outcome != storage::write_result::kind::committed)
        return make_error(errc::unavailable,
                          "the journal refused a synthetic write: " + result.detail);
      advance(slot);
    }
    return check_(result_.payments);
  }

  void advance(std::size_t slot) {
    auto& state = slots_[slot];
    const bool ends = is_over();
    if (!ends)
      ++result_.writes;
    if (!std::exchange(state.has_intent, true))
      return submit(slot, payments_.approval(shards_[state.shard], state.id, state.number));
    --under_way_;
    ++result_.payments;
    if (!ends)
      begin(slot);
  }

  const std::string& url_;
  const feed_plan& plan_;
  const std::function<expected<void>(std::uint64_t)>& check_;
  const synthetic_payments payments_;
  payments::entropy random_{
    static_cast<std::uint64_t>(steady::now().time_since_epoch().count())};
  /// Shared with callbacks, which may come while all of this goes.
  std::shared_ptr<inbox> inbox_ = std::make_shared<inbox>();
  std::unique_ptr<storage::database> database_;
  std::unique_ptr<storage::lease_keeper> leases_;
  std::vector<synthetic_shard> shards_;
  std::vector<slot_state> slots_;
  std::size_t under_way_ = 0;
  std::uint64_t next_number_ = 0;
  feed_result result_;
  steady::time_point began_;
};

} // namespace

expected<feed_result> feed_journal(const std::string& database_url, const feed_plan& plan,
                                   const std::function<expected<void>(std::uint64_t)>& check) {
  return feeder{database_url, plan, check}.run();
}

} // namespace holdfast::bench
