// One answer made of what several databases answer.
#pragma once

#include "storage/store.hpp"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast::storage {

/// Waits for the answers of all parts. Thread-safe; `done` runs on whatever thread decides.
template <class Part, class Whole, class Merge>
class gathering {
public:
  gathering(std::size_t parts, callback<Whole> done, Merge merge)
    : parts_(parts),
      missing_(parts),
      done_(std::move(done)),
      merge_(std::move(merge)) {}

  /// Once for each part.
  void take(std::size_t part, expected<Part> answer) {
    {
      const std::scoped_lock lock{mutex_};
      if (answered_)
        return;
      if (answer) {
        parts_[part] = std::move(*answer);
        --missing_;
      }
      answered_ = !answer || missing_ == 0;
      if (!answered_)
        return;
    }
    if (answer)
      done_(merge_(std::move(parts_)));
    else
      done_(answer.error());
  }

private:
  std::mutex mutex_;
  std::vector<Part> parts_;
  std::size_t missing_;
  bool answered_ = false;
  const callback<Whole> done_;
  const Merge merge_;
};

/// Calls `ask(i, callback<Part>)` for each of `count` parts, at least one, and answers with
/// what `merge` makes of their answers, in the order of the parts, once all are there. The
/// first failure is the whole answer, at once.
template <class Part, class Whole, class Ask, class Merge>
void gather(std::size_t count, Ask ask, callback<Whole> done, Merge merge) {
  const auto whole =
    std::make_shared<gathering<Part, Whole, Merge>>(count, std::move(done), std::move(merge));
  for (std::size_t i = 0; i < count; ++i)
    ask(i, callback<Part>{
             [whole, i](expected<Part> answer) { whole->take(i, std::move(answer)); }});
}

} // namespace holdfast::storage
