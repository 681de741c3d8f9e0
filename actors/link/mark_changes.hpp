// Which sequence marks the other end of a link has not been told yet. Pure.
#pragma once

#include "messages/envelope.hpp"
#include "storage/sequence_marks.hpp"

#include <algorithm>
#include <vector>

namespace holdfast::links {

class mark_changes {
public:
  /// Those that have risen since the last call, all that are known in the first.
  [[nodiscard]] std::vector<shard_mark> take(const storage::sequence_marks& marks) {
    told_.resize(marks.shards());
    std::vector<shard_mark> risen;
    for (std::uint16_t number = 0; number < marks.shards(); ++number) {
      const auto reached = marks.known({number});
      if (reached > told_[number])
        risen.push_back({{number}, told_[number] = reached});
    }
    return risen;
  }

  /// The other end says so itself: it need not hear it from us.
  void heard(const shard_mark& mark) {
    if (mark.shard.value >= told_.size())
      told_.resize(mark.shard.value + std::size_t{1});
    auto& told = told_[mark.shard.value];
    told = std::max(told, mark.reached);
  }

private:
  std::vector<sequence_number> told_;
};

} // namespace holdfast::links
