#include "runtime/cli/ctl_output.hpp"

#include "messages/limits.hpp"
#include "runtime/http/target.hpp"

#include <cstdio>

namespace holdfast::cli::ctl {

namespace json = boost::json;

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_json(const json::value& value) {
  print(json::serialize(value) + '\n');
}

std::string with_query(std::string target, std::string_view name, const std::string& value) {
  if (value.empty())
    return target;
  return target + (target.find('?') == std::string::npos ? '?' : '&') + std::string{name} + '='
         + http::encode_segment(value);
}

expected<void> show_list(const context& how, const std::string& target, extent comes,
                         std::span<const console::view> columns) {
  auto rows = comes == extent::whole ? how.admin.rows(target)
                                     : how.admin.all_pages(target, limits::ctl_rows_max);
  if (!rows)
    return rows.error();
  if (how.as_json)
    print_json(json::object{{"object", "list"}, {"data", std::move(*rows)}});
  else
    print(console::rows_text(*rows, columns, how.out));
  return {};
}

} // namespace holdfast::cli::ctl
