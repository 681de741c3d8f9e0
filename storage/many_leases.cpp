#include "storage/many_leases.hpp"

#include "messages/assert.hpp"
#include "storage/gathering.hpp"
#include "storage/merging.hpp"
#include "storage/wake_event.hpp"

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace holdfast::storage {

namespace {

constexpr std::string_view swept_by_each = "retention";

/// What the keepers say, put together. Shared with their callbacks.
class view_merger {
public:
  view_merger(std::vector<shard_range> ranges, lease_events events)
    : ranges_(std::move(ranges)),
      events_(std::move(events)),
      looks_(ranges_.size()) {}

  /// The events for the keeper of one part.
  static lease_events events_for(const std::shared_ptr<view_merger>& self, std::size_t part) {
    auto events = self->events_;
    events.seen = [self, part](const cluster_view& view) { self->note(part, view); };
    if (part != 0)
      events.singletons = nullptr;
    if (events.superseded)
      events.superseded = [self](const std::string& other) {
        if (!self->superseded_.exchange(true))
          self->events_.superseded(other);
      };
    return events;
  }

  [[nodiscard]] cluster_view merged() const {
    const auto now = std::chrono::steady_clock::now();
    std::vector<dated_view> views;
    const std::scoped_lock lock{mutex_};
    for (std::size_t part = 0; part < looks_.size(); ++part) {
      auto& view = views.emplace_back(dated_view{ranges_[part], {}, {}});
      if (const auto& latest = looks_[part]) {
        view.view = latest->view;
        view.age = std::chrono::duration_cast<milliseconds>(now - latest->at);
      }
    }
    return merge_views(views);
  }

private:
  struct look {
    cluster_view view;
    steady_time at;
  };

  void note(std::size_t part, const cluster_view& view) {
    // What is told must not be older than what was told before.
    const std::scoped_lock turn{telling_};
    {
      const std::scoped_lock lock{mutex_};
      looks_[part] = look{view, std::chrono::steady_clock::now()};
    }
    if (events_.seen)
      events_.seen(merged());
  }

  const std::vector<shard_range> ranges_; ///< of the databases
  const lease_events events_;
  std::atomic<bool> superseded_{false};
  std::mutex telling_;
  mutable std::mutex mutex_;
  std::vector<std::optional<look>> looks_; ///< the latest at each database
};

class many_keepers final : public lease_keeper {
public:
  many_keepers(const shard_layout& layout, const std::vector<database*>& parts,
               lease_events events)
    : layout_(layout),
      merger_(std::make_shared<view_merger>(layout.ranges(), std::move(events))) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      keepers_.push_back(parts[i]->keep_leases(view_merger::events_for(merger_, i)));
  }

  void want(std::vector<shard_number> shards) override {
    std::vector<std::vector<shard_number>> wanted(keepers_.size());
    for (const auto shard : shards)
      wanted[layout_.database_of(shard)].push_back(shard);
    for (std::size_t i = 0; i < keepers_.size(); ++i)
      keepers_[i]->want(std::move(wanted[i]));
  }

  void want_singletons(std::vector<std::string> names) override {
    for (std::size_t i = 1; i < keepers_.size(); ++i) {
      auto its_own = names;
      std::erase_if(its_own, [](const auto& name) { return name != swept_by_each; });
      keepers_[i]->want_singletons(std::move(its_own));
    }
    keepers_.front()->want_singletons(std::move(names));
  }

  void released(shard_number shard, epoch_number epoch) override {
    of(shard).released(shard, epoch);
  }
  void reacquire(shard_number shard) override { of(shard).reacquire(shard); }

  void introduce(node_card card) override {
    for (const auto& keeper : keepers_)
      keeper->introduce(card);
  }
  void look_again() override {
    for (const auto& keeper : keepers_)
      keeper->look_again();
  }

  void pin(shard_range shards, std::string node,
           std::function<void(expected<void>)> done) override {
    if (shards.last < shards.first || shards.last.value >= layout_.count())
      return done(make_error(errc::invalid_argument, "there are no such shards"));
    std::vector<std::pair<std::size_t, shard_range>> pieces;
    for (std::size_t i = 0; i < keepers_.size(); ++i) {
      const auto& range = layout_.ranges()[i];
      const shard_range piece{std::max(shards.first, range.first),
                              std::min(shards.last, range.last)};
      if (piece.first <= piece.last)
        pieces.emplace_back(i, piece);
    }
    const auto ask = [&](std::size_t i, callback<bool> part) {
      const auto& [database, piece] = pieces[i];
      keepers_[database]->pin(piece, node, [part = std::move(part)](expected<void> pinned) {
        part(pinned ? expected<bool>{true} : expected<bool>{pinned.error()});
      });
    };
    gather<bool, bool>(
      pieces.size(), ask,
      [done = std::move(done)](expected<bool> all) {
        done(all ? expected<void>{} : expected<void>{all.error()});
      },
      [](const std::vector<bool>&) { return expected<bool>{true}; });
  }

  /// At once, for one that can't be reached takes its time.
  void release_all() override {
    std::vector<std::thread> threads;
    for (const auto& keeper : keepers_)
      threads.emplace_back([&keeper] { keeper->release_all(); });
    for (auto& thread : threads)
      thread.join();
  }

  cluster_view snapshot() const override { return merger_->merged(); }

private:
  [[nodiscard]] lease_keeper& of(shard_number shard) const {
    return *keepers_[layout_.database_of(shard)];
  }

  const shard_layout layout_;
  const std::shared_ptr<view_merger> merger_;
  std::vector<std::unique_ptr<lease_keeper>> keepers_;
};

} // namespace

std::unique_ptr<lease_keeper> join_keepers(const shard_layout& layout,
                                           std::vector<database*> parts, lease_events events) {
  HF_ASSERT(parts.size() == layout.ranges().size());
  return std::make_unique<many_keepers>(layout, parts, std::move(events));
}

} // namespace holdfast::storage
