#include "runtime/cli/ctl_exceptions.hpp"

#include "messages/limits.hpp"
#include "runtime/cli/ctl_output.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/console/view.hpp"
#include "runtime/http/target.hpp"

#include <boost/json.hpp>

#include <cstdlib>

namespace holdfast::cli::ctl {

namespace json = boost::json;
using client::integer_at;
using client::string_at;
using console::cell;
using console::object_text;
using console::rows_text;
using console::view;

namespace {

constexpr view exception_columns[] = {
  {"EXCEPTION", "id"},
  {"CLASS", "kind"},
  {"STATUS", "status"},
  {"AGE", "age"},
  {"OWNER", "owner"},
  {"PAYMENT", "payment"},
  {"EXPECTED", "expected_amount", cell::money},
  {"REPORTED", "reported_amount", cell::money},
  {"DETAIL", "detail"},
};
constexpr view exception_lines[] = {
  {"Exception", "id"},
  {"Class", "kind"},
  {"Status", "status"},
  {"Age", "age"},
  {"Merchant", "merchant"},
  {"Payment", "payment"},
  {"Batch", "batch"},
  {"File", "file"},
  {"Told by", "source"},
  {"About", "external_ref"},
  {"Currency", "currency"},
  {"Expected", "expected_amount", cell::money},
  {"Reported", "reported_amount", cell::money},
  {"In suspense", "suspense"},
  {"What happened", "detail"},
  {"Raw", "raw_line"},
  {"Opened", "opened_at", cell::time},
  {"Owner", "owner"},
  {"Note", "note"},
  {"Resolution", "resolution"},
  {"Resolved by", "resolved_by"},
  {"Resolved", "resolved_at", cell::time},
  {"May be resolved", "by"},
};
constexpr view letter_columns[] = {
  {"DEAD LETTER", "id"},
  {"KIND", "kind"},
  {"SUBJECT", "subject"},
  {"STATUS", "status"},
  {"TIMES", "count", cell::number},
  {"LAST", "last_at", cell::time},
  {"REASON", "reason"},
};

std::string age_text(std::int64_t seconds) {
  if (seconds < 120)
    return std::to_string(seconds) + " s";
  if (seconds < 2 * 3'600)
    return std::to_string(seconds / 60) + " min";
  if (seconds < 2 * 86'400)
    return std::to_string(seconds / 3'600) + " h";
  return std::to_string(seconds / 86'400) + " d";
}

/// What people want to read and scripts don't need.
void explain(json::object& exception) {
  exception["age"] = age_text(integer_at(exception, "age_seconds"));
  const auto unit = string_at(exception, "suspense_currency");
  if (!unit.empty())
    exception["suspense"] =
      console::amount_text(integer_at(exception, "suspense_amount"), unit) + ' ' + unit;
  std::string by;
  if (const auto* ways = exception.if_contains("resolutions"); ways && ways->is_array())
    for (const auto& way : ways->as_array())
      if (way.is_string())
        by += (by.empty() ? "" : ", ") + std::string{way.as_string()};
  if (!by.empty())
    exception["by"] = by;
}

expected<void> show_case(const context& how, expected<json::value> answer) {
  return show_object(how, std::move(answer), [](json::object& found) {
    explain(found);
    print(object_text(found, exception_lines));
  });
}

std::string path_of(const std::string& id, std::string_view verb = {}) {
  auto path = "/admin/v1/exceptions/" + http::encode_segment(id);
  return verb.empty() ? path : path + '/' + std::string{verb};
}

/// Scripts set USER too; it is a name in a record, not an authority.
std::string user_name() {
  const char* name = std::getenv("USER");
  return name != nullptr && *name != '\0' ? std::string{name} : std::string{"ctl"};
}

} // namespace

expected<void> list_exceptions(const context& how, const exception_query& wanted) {
  auto target = with_query("/admin/v1/exceptions", "class", wanted.kind);
  if (wanted.status != "all")
    target = with_query(std::move(target), "status", wanted.status);
  target = with_query(std::move(target), "merchant", wanted.merchant);
  if (how.as_json)
    return show_list(how, target, extent::pages, exception_columns);
  auto rows = how.admin.all_pages(target, limits::ctl_rows_max);
  if (!rows)
    return rows.error();
  for (auto& row : *rows)
    if (auto* exception = row.if_object())
      explain(*exception);
  print(rows_text(*rows, exception_columns, how.out));
  return {};
}

expected<void> show_exception(const context& how, const std::string& id) {
  return show_case(how, how.admin.get(path_of(id)));
}

expected<void> assign_exception(const context& how, const exception_order& order) {
  json::object body{{"owner", order.owner}};
  if (!order.note.empty())
    body["note"] = order.note;
  return show_case(how, how.admin.post(path_of(order.id, "assign"), body));
}

expected<void> resolve_exception(const context& how, const exception_order& order) {
  json::object body{
    {"resolution", order.resolution}, {"note", order.note}, {"by", user_name()}};
  if (order.amount)
    body["amount"] = *order.amount;
  return show_case(how, how.admin.post(path_of(order.id, "resolve"), body));
}

expected<void> resubmit_batch(const context& how, const exception_order& order) {
  json::object body;
  if (!order.note.empty())
    body["note"] = order.note;
  const auto target = "/admin/v1/batches/" + http::encode_segment(order.id) + "/resubmit";
  return show_case(how, how.admin.post(target, body));
}

expected<void> list_dead_letters(const context& how, const std::string& status) {
  const auto target =
    with_query("/admin/v1/dead_letters", "status", status == "all" ? std::string{} : status);
  return show_list(how, target, extent::pages, letter_columns);
}

expected<void> replay_dead_letter(const context& how, const std::string& id) {
  const auto target = "/admin/v1/dead_letters/" + http::encode_segment(id) + "/replay";
  return show_object(how, how.admin.post(target, json::object{}),
                     [](const json::object& letter) {
                       print(string_at(letter, "subject") + " is taken up again\n");
                     });
}

} // namespace holdfast::cli::ctl
