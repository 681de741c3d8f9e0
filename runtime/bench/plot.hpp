// Line plots as SVG, readable on light and dark pages. Pure.
#pragma once

#include <string>
#include <vector>

namespace holdfast::bench {

struct dot {
  double x = 0, y = 0;
};

struct curve {
  std::string name;
  std::vector<dot> dots;
};

struct plot {
  std::string title;
  std::string x_name, y_name;
  std::vector<curve> curves;
};

/// Both axes begin at 0 and end at a round number.
[[nodiscard]] std::string to_svg(const plot& drawing);

/// The least of 1, 2, 2.5, 5 and 10 times a power of ten that is not less; 1 for nothing.
[[nodiscard]] double round_up(double value);

} // namespace holdfast::bench
