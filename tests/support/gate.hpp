// A gate between the actors and storage: what crosses it goes on at once, unless a test has
// shut a door, or asked for one step of settlement to be held up. So a test can do something
// exactly while a write is in flight or an answer is on its way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace holdfast::test {

/// What may be held up: a question or an order on its way to storage, or an answer on its way
/// back.
enum class door : std::uint8_t {
  write,
  write_answer,
  unit,
  unit_answer,
  barrier,
  barrier_answer,
  payment_read,
  payment_answer,
  due_read,
  due_answer,
  settlement_read,
  settlement_answer,
};

/// Thread-safe. What is let go runs on the thread that lets it go.
class gate {
public:
  /// From now on what comes to these doors is kept, in order.
  void shut(std::initializer_list<door> doors);
  /// Lets go what is kept at these doors, in order, and keeps nothing more there.
  void open(std::initializer_list<door> doors);
  /// Lets go all that is kept, and keeps nothing more.
  void open();
  /// How much is kept at the moment.
  [[nodiscard]] std::size_t kept() const;

  /// Keeps one step of settlement: the first unit of work from now on is step 0, and every
  /// later unit, every read of the reconciler's and every answer to either is one more.
  void hold_up(std::size_t step);
  /// How many steps have come since then, with the one that is kept.
  [[nodiscard]] std::size_t steps() const;

  /// How much has come to this door since the beginning.
  [[nodiscard]] std::size_t crossed(door which) const;

  /// For whoever stands at a door: runs `go` now, or when the test lets it go.
  void cross(door which, std::function<void()> go);

private:
  struct kept_crossing {
    door where;
    std::function<void()> go;
  };

  [[nodiscard]] bool must_wait(door which);

  mutable std::mutex mutex_;
  std::set<door> shut_;
  std::vector<kept_crossing> kept_;
  std::map<door, std::size_t> crossed_;
  std::optional<std::size_t> hold_up_; ///< the step
  std::size_t steps_ = 0;              ///< of settlement, since hold_up was asked for
};

} // namespace holdfast::test
