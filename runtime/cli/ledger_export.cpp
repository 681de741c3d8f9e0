// `holdfast ctl ledger export`: however long the ledger, one page of it is in memory.
#include "messages/limits.hpp"
#include "runtime/cli/ctl_commands.hpp"
#include "runtime/http/target.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <optional>

namespace holdfast::cli::ctl {

namespace {

constexpr milliseconds page_limit{60'000};

std::string first_page(const ledger_export& wanted) {
  auto target = "/admin/v1/ledger/export?limit=" + std::to_string(limits::export_rows_max)
                + "&format=" + wanted.format;
  if (!wanted.merchant.empty())
    target += "&merchant=" + http::encode_segment(wanted.merchant);
  return target;
}

/// Every page of a CSV begins with the head; the file wants it once.
std::string_view without_head(std::string_view page) {
  return page.substr(std::min(page.find('\n'), page.size() - 1) + 1);
}

error can_not_write(const ledger_export& wanted) {
  return make_error(errc::unavailable,
                    (wanted.file.empty() ? "stdout" : wanted.file) + ": can't be written");
}

expected<void> copy_pages(const context& how, const ledger_export& wanted, std::ostream& out,
                          console::progress* shown) {
  const bool csv = wanted.format == "csv";
  std::uint64_t entries = 0;
  bool is_first = true;
  for (auto next = first_page(wanted); !next.empty();) {
    auto page = how.admin.page(next, page_limit);
    if (!page)
      return page.error();
    const std::string_view rows = csv ? without_head(page->body) : page->body;
    out << (is_first ? std::string_view{page->body} : rows);
    if (!out)
      return can_not_write(wanted);
    // A line break within a quoted field of a CSV may count as an entry more; it is a picture.
    entries += static_cast<std::uint64_t>(std::ranges::count(rows, '\n'));
    if (shown)
      shown->advance_to(entries);
    is_first = false;
    next = std::move(page->next);
  }
  if (shown)
    shown->finish(entries);
  return {};
}

} // namespace

expected<void> export_ledger(const context& how, const ledger_export& wanted) {
  if (how.as_json && wanted.format == "csv")
    return make_error(errc::invalid_argument,
                      "--json and --format csv exclude each other; leave one of them out");
  std::ofstream file;
  if (!wanted.file.empty())
    file.open(wanted.file, std::ios::binary | std::ios::trunc);
  auto& out = wanted.file.empty() ? std::cout : static_cast<std::ostream&>(file);
  if (!out)
    return can_not_write(wanted);
  // Not between the entries that a person reads off the terminal.
  std::optional<console::progress> shown;
  if (!wanted.file.empty() || !how.out.interactive)
    shown.emplace("Entries exported", 0);
  if (auto copied = copy_pages(how, wanted, out, shown ? &*shown : nullptr); !copied)
    return copied;
  out.flush();
  return out ? expected<void>{} : can_not_write(wanted);
}

} // namespace holdfast::cli::ctl
