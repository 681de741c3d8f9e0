// How `holdfast ctl` shows what the admin port answers: as a table or lines for a person, as
// JSON for a script.
#pragma once

#include "runtime/cli/ctl_commands.hpp"
#include "runtime/console/view.hpp"

#include <boost/json.hpp>

#include <span>
#include <string>
#include <string_view>

namespace holdfast::cli::ctl {

void print(const std::string& text);
void print_json(const boost::json::value& value);

/// The target with one more parameter, unless its value is empty.
[[nodiscard]] std::string with_query(std::string target, std::string_view name,
                                     const std::string& value);

/// Whether a list comes whole or in pages.
enum class extent : std::uint8_t { whole, pages };

[[nodiscard]] expected<void> show_list(const context& how, const std::string& target,
                                       extent comes, std::span<const console::view> columns);

/// The answer as an object: as JSON, or as `show` has it.
template <class Show>
[[nodiscard]] expected<void> show_object(const context& how,
                                         expected<boost::json::value> answer, Show show) {
  if (!answer)
    return answer.error();
  if (how.as_json) {
    print_json(*answer);
    return {};
  }
  if (!answer->is_object())
    return make_error(errc::unavailable, how.admin.url() + " did not answer with an object");
  show(answer->as_object());
  return {};
}

} // namespace holdfast::cli::ctl
