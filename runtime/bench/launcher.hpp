// When the load generator begins the next journey. Open loop: at a fixed rate, whatever comes
// back, and one that has to wait for a connection counts from when it was due. Closed loop: as
// soon as a connection is free. Pure: time is an argument, counted from the start of the load.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace holdfast::bench {

using std::chrono::nanoseconds;

struct launch_plan {
  std::size_t connections = 64;
  std::optional<double> rate; ///< journeys a second; none: closed loop
  nanoseconds length{};       ///< Nothing becomes due from then on.
  /// How much longer what was due in time may still begin; the rest is dropped.
  nanoseconds grace{};
  /// Of an open loop: what becomes due between two steps begins together, with the later one. A
  /// wake-up for each would cost the machine more than the journeys' own bytes. 0: no steps.
  nanoseconds step{};
};

struct launch {
  std::uint64_t index = 0; ///< 0, 1, 2 …
  nanoseconds due{};
};

class launcher {
public:
  explicit launcher(launch_plan plan) noexcept : plan_(plan) {}

  /// The next journey, if one may begin now: it then holds a connection.
  [[nodiscard]] std::optional<launch> take(nanoseconds now) noexcept;
  /// A journey has ended.
  void give_back() noexcept { --in_flight_; }

  /// When to call `take` next, unless a journey ends before; none while all depends on that,
  /// and after the end.
  [[nodiscard]] std::optional<nanoseconds> wake_at() const noexcept;
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_; }
  /// Nothing will begin any more.
  [[nodiscard]] bool is_over(nanoseconds now) const noexcept;
  /// Due in time and not begun.
  [[nodiscard]] std::uint64_t late(nanoseconds now) const noexcept;

private:
  [[nodiscard]] nanoseconds due_of(std::uint64_t index) const noexcept;
  [[nodiscard]] std::uint64_t due_by(nanoseconds now) const noexcept;

  launch_plan plan_;
  std::uint64_t begun_ = 0;
  std::size_t in_flight_ = 0;
};

} // namespace holdfast::bench
