#include "runtime/bench/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

namespace holdfast::bench {

namespace {

constexpr double width = 640, height = 380;
constexpr double left = 76, right = 20, top = 44, bottom = 52;
constexpr int ticks = 5;
constexpr std::array<const char*, 4> colours{"#2a78b5", "#d1762b", "#4c9a4c", "#8d5fae"};

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '&': safe += "&amp;"; break;
      default: safe += c;
    }
  }
  return safe;
}

class canvas {
public:
  explicit canvas(const plot& drawing) : drawing_(drawing) {
    double x_most = 0;
    double y_most = 0;
    for (const auto& line : drawing.curves)
      for (const auto& each : line.dots) {
        x_most = std::max(x_most, each.x);
        y_most = std::max(y_most, each.y);
      }
    x_end_ = round_up(x_most);
    y_end_ = round_up(y_most);
  }

  std::string draw() {
    out_ << R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" << width << ' ' << height
         << R"(" font-family="sans-serif" font-size="12" fill="#808080">)" << '\n';
    write(width / 2, 20, "middle", drawing_.title);
    write(left + (width - left - right) / 2, height - 10, "middle", drawing_.x_name);
    write(left - 8, top - 12, "end", drawing_.y_name);
    draw_grid();
    for (std::size_t i = 0; i < drawing_.curves.size(); ++i)
      draw_curve(drawing_.curves[i], colours[i % colours.size()], i);
    out_ << "</svg>\n";
    return out_.str();
  }

private:
  [[nodiscard]] double x_of(double value) const {
    return left + (width - left - right) * value / x_end_;
  }
  [[nodiscard]] double y_of(double value) const {
    return height - bottom - (height - top - bottom) * value / y_end_;
  }

  void write(double x, double y, const char* anchor, const std::string& text,
             const char* colour = nullptr) {
    out_ << "<text x=\"" << x << "\" y=\"" << y << "\" text-anchor=\"" << anchor << '"';
    if (colour)
      out_ << " fill=\"" << colour << '"';
    out_ << '>' << escaped(text) << "</text>\n";
  }

  void draw_grid() {
    for (int i = 0; i <= ticks; ++i) {
      const auto x = x_end_ * i / ticks;
      const auto y = y_end_ * i / ticks;
      out_ << "<path d=\"M" << left << ' ' << y_of(y) << "H" << width - right
           << "\" stroke=\"#80808040\"/>\n";
      write(left - 8, y_of(y) + 4, "end", label(y));
      write(x_of(x), height - bottom + 18, "middle", label(x));
    }
  }

  static std::string label(double value) {
    std::ostringstream text;
    text << value;
    return text.str();
  }

  void draw_curve(const curve& line, const char* colour, std::size_t place) {
    auto sorted = line.dots;
    std::ranges::sort(sorted, {}, &dot::x);
    out_ << "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" << colour << "\" points=\"";
    for (const auto& each : sorted)
      out_ << x_of(each.x) << ',' << y_of(each.y) << ' ';
    out_ << "\"/>\n";
    for (const auto& each : sorted)
      out_ << "<circle r=\"3\" fill=\"" << colour << "\" cx=\"" << x_of(each.x) << "\" cy=\""
           << y_of(each.y) << "\"/>\n";
    write(width - right - 60.0 * static_cast<double>(place), top - 12, "end", line.name,
          colour);
  }

  const plot& drawing_;
  double x_end_ = 1;
  double y_end_ = 1;
  std::ostringstream out_;
};

} // namespace

std::string to_svg(const plot& drawing) {
  return canvas{drawing}.draw();
}

double round_up(double value) {
  if (!(value > 0) || !std::isfinite(value))
    return 1;
  const auto power = std::pow(10, std::floor(std::log10(value)));
  for (const auto step : {1.0, 2.0, 2.5, 5.0})
    if (value <= step * power)
      return step * power;
  return 10 * power;
}

} // namespace holdfast::bench
