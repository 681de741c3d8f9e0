#include "runtime/node/cutoffs.hpp"

#include "actors/caf.hpp"
#include "actors/protocol.hpp"
#include "runtime/node/cutoff_gathering.hpp"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

namespace holdfast::runtime {

namespace {

cutoff_result incomplete(std::string detail) {
  cutoff_result result;
  result.detail = std::move(detail);
  return result;
}

template <class Answer>
cutoff_result result_of(const Answer& answer) {
  cutoff_result result;
  result.complete = answer.ok;
  result.batches = answer.batches;
  result.items = answer.items;
  result.files = answer.files;
  result.reconciled = answer.reconciled;
  result.exceptions = answer.exceptions;
  result.detail = answer.detail;
  return result;
}

/// Which shards a cut-off over all nodes has not come to. Thread-safe.
class shards_left {
public:
  explicit shards_left(std::uint16_t count) {
    for (std::uint16_t number = 0; number < count; ++number)
      left_.insert({number});
  }

  void strike(const std::vector<shard_number>& reached) {
    const std::lock_guard guard{mutex_};
    for (const auto shard : reached)
      left_.erase(shard);
  }

  /// A whole that leaves one out is none, whatever those that were asked have answered.
  void judge(cutoff_result& whole) const {
    const std::lock_guard guard{mutex_};
    if (left_.empty())
      return;
    whole.complete = false;
    whole.detail += (whole.detail.empty() ? "" : "; ")
                    + std::string{"nobody has answered for shards "}
                    + ranges_text({left_.begin(), left_.end()}) + "; repeat it";
  }

private:
  mutable std::mutex mutex_;
  std::set<shard_number> left_;
};

cutoff_result result_of(const std::string& node, const links::peer_outcome& outcome,
                        shards_left& left) {
  if (!outcome)
    return incomplete(outcome.error().code == errc::unknown_outcome
                        ? node + " has not answered in time; it may go on"
                        : node + " can't be reached");
  const auto* answer = std::get_if<links::cutoff_answer>(&*outcome);
  if (answer == nullptr)
    return incomplete(node + " has answered something else");
  left.strike(answer->shards);
  auto result = result_of(*answer);
  if (!result.complete)
    result.detail = node + ": " + result.detail;
  return result;
}

/// Who has the shards that are not here. A shard that has moved has no owner in the eyes of
/// this node until it looks again: any that it is linked to may have it, and knows.
std::set<std::string> owners_elsewhere(const std::vector<cluster::shard_place>& places,
                                       const std::vector<shard_number>& here,
                                       const std::string& self, const links::port* others) {
  std::set<std::string> nodes;
  bool any_unknown = false;
  for (std::uint16_t number = 0; number < places.size(); ++number) {
    if (std::ranges::binary_search(here, shard_number{number}))
      continue;
    const auto& owner = places[number].owner;
    any_unknown = any_unknown || owner.empty() || owner == self;
    if (!owner.empty() && owner != self)
      nodes.insert(owner);
  }
  if (any_unknown && others != nullptr)
    for (const auto& link : others->status())
      if (link.up)
        nodes.insert(link.node);
  return nodes;
}

/// Sorted, as the directory has them.
std::vector<shard_number> numbers_of(
  const std::vector<std::pair<shard_number, caf::actor>>& shards) {
  std::vector<shard_number> numbers;
  for (const auto& [number, shard] : shards)
    numbers.push_back(number);
  return numbers;
}

} // namespace

void cutoffs::close_here(const links::cutoff_for_node& what, milliseconds timeout,
                         std::function<void(cutoff_result, std::vector<shard_number>)> done) {
  const auto shards = env_->peers.shards();
  close(shards, what, timeout,
        [done = std::move(done), numbers = numbers_of(shards)](cutoff_result result) {
          done(std::move(result), numbers);
        });
}

void cutoffs::close(const local_shards& shards, const links::cutoff_for_node& what,
                    milliseconds timeout, std::function<void(cutoff_result)> done) {
  if (shards.empty()) {
    cutoff_result none;
    none.complete = true;
    return done(std::move(none));
  }
  auto gathering = std::make_shared<cutoff_gathering>(shards.size(), "shards", std::move(done));
  for (const auto& [number, shard] : shards) {
    auto answer = std::make_shared<actors::close_promise>(
      [gathering](const actors::close_outcome& outcome) {
        gathering->add(result_of(outcome));
      });
    actors::tell(shard,
                 actors::close_batches_now{
                   what.merchant, what.captured_before, what.settle, std::move(answer), {}});
  }
  // Acquirers may take longer than whoever asks would wait.
  env_->later(timeout, [gathering] { gathering->expire(); });
}

/// The shards of this node are looked up once, before the others are asked: one that moves
/// meanwhile is either asked at one of its owners or missed, and then the answer says so.
void cutoffs::close_everywhere(const cutoff_request& request, milliseconds timeout,
                               std::function<void(cutoff_result)> done) {
  const links::cutoff_for_node what{request.merchant, env_->now(), request.settle};
  const auto shards = env_->peers.shards();
  const auto here = numbers_of(shards);
  const auto nodes = owners_elsewhere(table_->all(), here, self_, others_);
  auto left = std::make_shared<shards_left>(env_->layout.count());
  left->strike(here);
  auto gathering = std::make_shared<cutoff_gathering>(
    nodes.size() + 1, "nodes", [left, done = std::move(done)](cutoff_result whole) {
      left->judge(whole);
      done(std::move(whole));
    });
  for (const auto& node : nodes) {
    const auto heard = [gathering, left, node](const links::peer_outcome& outcome) {
      gathering->add(result_of(node, outcome, *left));
    };
    if (others_ != nullptr)
      others_->ask(node, what, timeout, heard);
    else
      heard({boost::system::in_place_error, make_error(errc::unavailable, "no links")});
  }
  close(shards, what, timeout,
        [gathering](const cutoff_result& result) { gathering->add(result); });
  env_->later(timeout, [gathering] { gathering->expire(); });
}

} // namespace holdfast::runtime
