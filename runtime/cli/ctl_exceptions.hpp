// `holdfast ctl exceptions`, `batches resubmit` and `dead-letters`: what waits for people.
#pragma once

#include "runtime/cli/ctl_commands.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::cli::ctl {

// Each prints on stdout. Errors: those of json_client.

struct exception_query {
  std::string kind;            ///< empty: all classes
  std::string status = "open"; ///< open, resolved or all
  std::string merchant;        ///< empty: everybody's
};
[[nodiscard]] expected<void> list_exceptions(const context& how, const exception_query& wanted);
[[nodiscard]] expected<void> show_exception(const context& how, const std::string& id);

struct exception_order {
  std::string id;
  std::string resolution;
  std::string owner;
  std::string note;
  std::optional<std::int64_t> amount; ///< minor units
};
[[nodiscard]] expected<void> assign_exception(const context& how, const exception_order& order);
[[nodiscard]] expected<void> resolve_exception(const context& how,
                                               const exception_order& order);
[[nodiscard]] expected<void> resubmit_batch(const context& how, const exception_order& order);

[[nodiscard]] expected<void> list_dead_letters(const context& how, const std::string& status);
[[nodiscard]] expected<void> replay_dead_letter(const context& how, const std::string& id);

} // namespace holdfast::cli::ctl
