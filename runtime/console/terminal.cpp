#include "runtime/console/terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace holdfast::console {

namespace {

constexpr std::chrono::milliseconds redraw_every{100};
constexpr std::chrono::milliseconds line_every{2'000};
/// A sign of life where nothing moves.
constexpr std::chrono::milliseconds same_line_every{15'000};
constexpr std::size_t bar_columns = 30;
/// A slower rate says nothing to anybody.
constexpr std::uint64_t rate_shown_min = 10;

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value)
      continue;
    const std::string_view text = value;
    return text.find("UTF-8") != text.npos || text.find("utf8") != text.npos;
  }
  return false;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

} // namespace

terminal terminal::of(int descriptor) {
  terminal out;
  const char* kind = std::getenv("TERM");
  out.interactive = ::isatty(descriptor) == 1 && kind && std::string_view{kind} != "dumb";
  out.utf8 = out.interactive && is_utf8_locale();
  out.colour = out.interactive && !std::getenv("NO_COLOR");
  winsize size{};
  if (out.interactive && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    out.columns = size.ws_col;
  return out;
}

std::string terminal::styled(std::string_view code, std::string_view text) const {
  if (!colour)
    return std::string{text};
  return "\x1b[" + std::string{code} + 'm' + std::string{text} + "\x1b[0m";
}

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size());
      continue;
    }
    // Bytes 10xxxxxx continue a character.
    width += (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return width;
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<std::size_t>(i), 1, ',');
  return text;
}

progress::progress(std::string what, std::uint64_t total)
  : out_(terminal::of(2)),
    what_(std::move(what)),
    total_(total) {
  draw(0, {});
}

progress::~progress() {
  if (line_open_)
    std::fputc('\n', stderr);
}

void progress::advance_to(std::uint64_t done, std::string_view note) {
  const auto now = clock::now();
  const bool finished = done >= total_ && shown_ < total_;
  const auto every = out_.interactive ? redraw_every
                     : done == shown_ ? same_line_every
                                      : line_every;
  if (!finished && now - drawn_ < every)
    return;
  draw(done, note);
}

void progress::draw(std::uint64_t done, std::string_view note) {
  drawn_ = clock::now();
  shown_ = done;
  const double share =
    total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
  const double seconds = std::chrono::duration<double>(drawn_ - began_).count();
  const auto rate =
    seconds > 0.2 ? static_cast<std::uint64_t>(static_cast<double>(done) / seconds) : 0;
  auto text = what_ + "  ";
  if (out_.interactive && total_ > 0) {
    const auto full = static_cast<std::size_t>(share * static_cast<double>(bar_columns));
    text += repeated(out_.utf8 ? "█" : "#", full)
            + repeated(out_.utf8 ? "░" : ".", bar_columns - full) + "  ";
  }
  text += grouped(done);
  if (total_ > 0)
    text += " of " + grouped(total_);
  if (rate >= rate_shown_min)
    text += "  " + grouped(rate) + "/s";
  if (!note.empty())
    text += "  " + std::string{note};
  if (out_.interactive)
    std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
  else
    std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
  line_open_ = out_.interactive;
}

} // namespace holdfast::console
