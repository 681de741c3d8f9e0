// One of our own programs as a process, which tells in a file where it listens.
#pragma once

#include "tests/support/process.hpp"

#include <boost/json/object.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::test {

/// Generous: the machine may be busy with other tests. What takes this long has failed.
inline constexpr milliseconds process_patience{60'000};

/// To be used from the main thread alone, since children die with the thread that starts them.
class ready_process {
public:
  /// It keeps `folder`/`name`.json and `folder`/`name`.log, the log over all its starts.
  ready_process(std::string program, const std::filesystem::path& folder,
                const std::string& name);

  /// Starts it and returns what it says of itself; nothing when it has ended before that, or
  /// has not said so in time. Throws when it can't be started.
  [[nodiscard]] std::optional<boost::json::object> start(
    std::vector<std::string> arguments,
    std::vector<std::pair<std::string, std::string>> environment = {});

  [[nodiscard]] bool running() { return child_ && child_->running(); }
  /// What was started last.
  [[nodiscard]] embedded::child& process() { return child_.value(); }
  [[nodiscard]] const std::filesystem::path& log() const noexcept { return log_; }

private:
  std::string program_;
  std::filesystem::path ready_;
  std::filesystem::path log_;
  std::optional<embedded::child> child_;
};

} // namespace holdfast::test
