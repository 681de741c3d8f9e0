// How a request finds the owner of its shard: what is tried next, for how long, and where it
// waits meanwhile. Pure: told what is known and what time it is; runtime/cluster/router
// delivers.
#pragma once

#include "messages/shard.hpp"
#include "messages/time.hpp"
#include "runtime/cluster/routing_table.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::cluster {

/// What is known at the moment of a try.
struct outlook {
  bool is_here = false; ///< an actor of this node has the shard
  shard_place place;
  bool reaches_owner = false;
  bool reaches_heir = false;
};

struct next_step {
  enum class kind : std::uint8_t {
    here,    ///< give it to the shard's actor
    there,   ///< ask `node`
    park,    ///< wait for news, or until it is time to ask again
    give_up, ///< the time is up: answer that nobody has it
  };
  kind what = kind::give_up;
  std::string node{};
};

/// How a try has ended.
enum class try_result : std::uint8_t {
  refused, ///< Nothing was done: it isn't served there, or couldn't be asked.
  unknown, ///< Nobody knows: the link broke, or no answer came in time.
};

/// Whether a request may be made again when nobody knows what became of it.
enum class repeatable : bool { no, yes };

/// One request on its way. The one who holds it decides; it is not thread-safe.
class search {
public:
  /// `patience` is what its client still waits for the outcome; the search ends with it, but
  /// not before limits::look_for_owner_ms_min, and at the latest limits::look_for_owner_ms_max
  /// after the first try that failed.
  search(shard_number shard, repeatable may_repeat, timestamp began, milliseconds patience);

  [[nodiscard]] next_step next(const outlook& known, timestamp now);

  /// The try at `node` (this one: empty) has failed. False: it must not be made again, its
  /// client hears that the outcome is unknown.
  [[nodiscard]] bool failed(const std::string& node, epoch_number epoch, try_result how,
                            timestamp now);

  /// The shard of this node may have begun to serve: it need not be spared any longer. That of
  /// another node tells by a higher epoch.
  void hear_news();

  [[nodiscard]] shard_number shard() const noexcept { return shard_; }
  /// Whether a try has ended without anybody knowing how: then "nothing was done" is not true.
  [[nodiscard]] bool is_in_doubt() const noexcept { return in_doubt_; }
  /// What its client still waits; never negative.
  [[nodiscard]] milliseconds patience(timestamp now) const noexcept;

private:
  struct attempt {
    std::string node;
    epoch_number epoch;
    timestamp at;
    unsigned in_vain = 1; ///< so often in a row, in this epoch
  };

  /// Whether it is too early to ask there again: many may wait for one shard, and each time
  /// that nobody knew better the pause doubles, from limits::look_again_ms to
  /// limits::look_again_ms_max.
  [[nodiscard]] bool was_just_at(const std::string& node, epoch_number epoch,
                                 timestamp now) const;

  /// Something has failed: from now on there is an end to it.
  void set_end(timestamp now);

  shard_number shard_;
  repeatable may_repeat_;
  timestamp began_;
  milliseconds patience_;
  std::optional<timestamp> until_; ///< when the search ends; none: nothing has failed yet
  bool in_doubt_ = false;
  std::vector<attempt> attempts_; ///< the latest of each node
};

/// Requests that wait for news of their shards, in the order in which they came. Bounded; not
/// thread-safe.
template <class Request>
class parking_lot {
public:
  explicit parking_lot(std::size_t room) : room_(room) {}

  /// False: there is no room, and the request stays with the caller.
  [[nodiscard]] bool park(shard_number shard, Request& request) {
    if (waiting_.size() >= room_)
      return false;
    waiting_.push_back({shard, std::move(request)});
    return true;
  }

  /// Those of these shards, which wait no more.
  [[nodiscard]] std::vector<Request> take(const std::vector<shard_number>& shards) {
    std::vector<Request> taken;
    for (auto one = waiting_.begin(); one != waiting_.end();) {
      const auto next = std::next(one);
      if (std::find(shards.begin(), shards.end(), one->shard) != shards.end()) {
        taken.push_back(std::move(one->request));
        waiting_.erase(one);
      }
      one = next;
    }
    return taken;
  }

  [[nodiscard]] std::vector<Request> take_all() {
    std::vector<Request> taken;
    for (auto& one : waiting_)
      taken.push_back(std::move(one.request));
    waiting_.clear();
    return taken;
  }

  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct place {
    shard_number shard;
    Request request;
  };

  std::size_t room_;
  std::list<place> waiting_;
};

} // namespace holdfast::cluster
