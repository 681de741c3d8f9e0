#include "runtime/cli/ctl_commands.hpp"

#include "messages/limits.hpp"
#include "runtime/cli/ctl_output.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/console/view.hpp"
#include "runtime/http/target.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <span>

namespace holdfast::cli::ctl {

namespace json = boost::json;
using client::flag_at;
using client::integer_at;
using client::string_at;
using console::cell;
using console::grouped;
using console::object_text;
using console::rows_text;
using console::view;

namespace {

constexpr milliseconds verify_limit{30 * 60 * 1'000};
constexpr milliseconds cutoff_limit{5 * 60 * 1'000};

constexpr view merchant_columns[] = {
  {"MERCHANT", "id"},
  {"NAME", "name"},
  {"CURRENCY", "currency"},
  {"STRIPES", "stripes", cell::number},
  {"FEE BPS", "fee_bps", cell::number},
  {"CREATED", "created_at", cell::time},
};
constexpr view key_columns[] = {
  {"KEY", "id"},
  {"MERCHANT", "merchant"},
  {"LIVE", "live", cell::flag},
  {"CREATED", "created_at", cell::time},
  {"REVOKED", "revoked_at", cell::time},
};
constexpr view payment_lines[] = {
  {"Payment", "id"},
  {"Status", "status"},
  {"Amount", "amount", cell::money},
  {"Captured", "amount_captured", cell::money},
  {"Refunded", "amount_refunded", cell::money},
  {"Capture", "capture"},
  {"Card", "payment_method.brand"},
  {"Last four", "payment_method.last4"},
  {"Gateway", "gateway"},
  {"Gateway's id", "gateway_reference"},
  {"Declined", "decline.code"},
  {"Next inquiry", "next_inquiry_at", cell::time},
  {"Batch", "batch"},
  {"Reference", "reference"},
  {"Created", "created_at", cell::time},
  {"Updated", "updated_at", cell::time},
};
constexpr view event_columns[] = {
  {"AT", "at", cell::time},     {"EVENT", "type"}, {"SHARD", "shard", cell::number},
  {"SEQ", "seq", cell::number}, {"DATA", "data"},
};
constexpr view attempt_columns[] = {
  {"ATTEMPT", "reference"},
  {"GATEWAY", "gateway"},
  {"STATUS", "status"},
  {"TRIES", "tries", cell::number},
  {"GATEWAY'S ID", "gateway_reference"},
  {"STARTED", "started_at", cell::time},
  {"WHY", "reason"},
  {"HEARD LAST", "last_heard"},
};
constexpr view operation_columns[] = {
  {"OPERATION", "reference"},
  {"KIND", "kind"},
  {"STATUS", "status"},
  {"AMOUNT", "amount", cell::money},
  {"REFUSED", "refusal_code"},
  {"TRIES", "tries", cell::number},
  {"GATEWAY'S ID", "gateway_reference"},
};
constexpr view entry_columns[] = {
  {"ENTRY", "id"},
  {"WHY", "event_type"},
  {"ACCOUNT", "account"},
  {"OWNER", "owner"},
  {"AMOUNT", "amount", cell::money},
  {"BALANCE", "balance_after", cell::money},
};
constexpr view item_columns[] = {
  {"ITEM", "id"},         {"KIND", "kind"},
  {"PAYMENT", "payment"}, {"AMOUNT", "amount", cell::money},
  {"STATUS", "status"},   {"FEE", "fee", cell::money},
  {"FILE", "file"},       {"LINE", "report_line", cell::number},
};
constexpr view batch_columns[] = {
  {"BATCH", "id"},
  {"MERCHANT", "merchant"},
  {"ACQUIRER", "acquirer"},
  {"STATUS", "status"},
  {"ITEMS", "items", cell::number},
  {"GROSS", "gross", cell::money},
  {"NET", "net", cell::money},
  {"CLOSED", "closed_at", cell::time},
};
constexpr view batch_lines[] = {
  {"Batch", "id"},
  {"Merchant", "merchant"},
  {"Acquirer", "acquirer"},
  {"Status", "status"},
  {"File", "file"},
  {"Items", "items"},
  {"Gross", "gross", cell::money},
  {"Acquirer's fees", "acquirer_fees", cell::money},
  {"Platform fees", "platform_fees", cell::money},
  {"Net", "net", cell::money},
  {"Closed", "closed_at", cell::time},
  {"Reconciled", "reconciled_at", cell::time},
};
constexpr view exception_columns[] = {
  {"EXCEPTION", "id"},
  {"CLASS", "kind"},
  {"STATUS", "status"},
  {"PAYMENT", "payment"},
  {"EXPECTED", "expected_amount", cell::money},
  {"REPORTED", "reported_amount", cell::money},
  {"OPENED", "opened_at", cell::time},
  {"DETAIL", "detail"},
};
constexpr view balance_columns[] = {
  {"ACCOUNT", "account"},
  {"OWNER", "owner"},
  {"BALANCE", "balance", cell::money},
};

void print_section(const context& how, const json::object& document, std::string_view title,
                   std::string_view member, std::span<const view> columns) {
  const auto* rows = document.if_contains(member);
  if (!rows || !rows->is_array() || rows->as_array().empty())
    return;
  print('\n' + how.out.bold(title) + '\n' + rows_text(rows->as_array(), columns, how.out, 2));
}

/// Rows of a payment have no currency of their own, so that the table could show amounts.
void lend_currency(json::object& document, std::string_view member, const std::string& unit) {
  auto* rows = document.if_contains(member);
  if (!rows || !rows->is_array() || unit.empty())
    return;
  for (auto& row : rows->as_array()) {
    if (auto* object = row.if_object(); object && !object->contains("currency"))
      (*object)["currency"] = unit;
  }
}

} // namespace

expected<void> list_merchants(const context& how) {
  return show_list(how, "/admin/v1/merchants", extent::whole, merchant_columns);
}

expected<void> create_merchant(const context& how, const new_merchant& wanted) {
  const json::object body{
    {"name", wanted.name}, {"currency", wanted.currency}, {"stripes", wanted.stripes}};
  return show_object(
    how, how.admin.post("/admin/v1/merchants", body), [&](const json::object& made) {
      print("Merchant  " + string_at(made, "id") + "\nAPI key   " + string_at(made, "api_key")
            + "\n\nThe key is shown this once; keep it in a safe place.\n");
    });
}

expected<void> list_keys(const context& how, const std::string& merchant) {
  return show_list(how, with_query("/admin/v1/keys", "merchant", merchant), extent::whole,
                   key_columns);
}

expected<void> create_key(const context& how, const std::string& merchant, bool live) {
  const json::object body{{"merchant", merchant}, {"live", live}};
  return show_object(
    how, how.admin.post("/admin/v1/keys", body), [&](const json::object& made) {
      print("Key      " + string_at(made, "id") + "\nAPI key  " + string_at(made, "api_key")
            + "\n\nThe key is shown this once; keep it in a safe place.\n");
    });
}

expected<void> revoke_key(const context& how, const std::string& key) {
  const auto target = "/admin/v1/keys/" + http::encode_segment(key) + "/revoke";
  return show_object(how, how.admin.post(target, json::object{}),
                     [&](const json::object&) { print(key + " is revoked\n"); });
}

expected<void> show_payment(const context& how, const std::string& payment) {
  const auto target = "/admin/v1/payments/" + http::encode_segment(payment);
  return show_object(how, how.admin.get(target), [&](const json::object& found) {
    print(object_text(found, payment_lines));
  });
}

expected<void> show_timeline(const context& how, const std::string& payment) {
  const auto target = "/admin/v1/payments/" + http::encode_segment(payment) + "/timeline";
  return show_object(how, how.admin.get(target), [&](json::object& found) {
    const auto* subject = found.if_contains("payment");
    std::string unit;
    if (subject && subject->is_object()) {
      unit = string_at(subject->as_object(), "currency");
      print(object_text(subject->as_object(), payment_lines));
    }
    lend_currency(found, "operations", unit);
    lend_currency(found, "settlement", unit);
    print_section(how, found, "Events", "events", event_columns);
    print_section(how, found, "Attempts", "attempts", attempt_columns);
    print_section(how, found, "Operations", "operations", operation_columns);
    print_section(how, found, "Ledger", "ledger_entries", entry_columns);
    print_section(how, found, "Settlement", "settlement", item_columns);
    print_section(how, found, "Exceptions", "exceptions", exception_columns);
  });
}

expected<void> list_batches(const context& how, const std::string& merchant) {
  return show_list(how, with_query("/admin/v1/batches", "merchant", merchant), extent::pages,
                   batch_columns);
}

namespace {

/// The batch with all of its items, where the API gives a page.
expected<json::value> whole_batch(const context& how, const std::string& target) {
  auto batch = how.admin.get(target);
  if (!batch || !batch->is_object())
    return batch;
  auto items = how.admin.all_pages(target + "/items", limits::ctl_rows_max);
  if (!items)
    return items.error();
  batch->as_object()["items_data"] = json::object{{"object", "list"},
                                                  {"data", std::move(*items)},
                                                  {"has_more", false},
                                                  {"url", target + "/items"}};
  return batch;
}

} // namespace

expected<void> show_batch(const context& how, const std::string& batch) {
  const auto target = "/admin/v1/batches/" + http::encode_segment(batch);
  return show_object(how, whole_batch(how, target), [&](json::object& found) {
    print(object_text(found, batch_lines));
    auto& items = found.at("items_data").as_object();
    lend_currency(items, "data", string_at(found, "currency"));
    print_section(how, items, "Items", "data", item_columns);
  });
}

expected<void> verify_ledger(const context& how) {
  auto answer = how.admin.get("/admin/v1/ledger/verify", verify_limit);
  const bool holds = answer && answer->is_object() && flag_at(answer->as_object(), "holds");
  auto shown = show_object(how, std::move(answer), [&](const json::object& proof) {
    for (const auto& [name, value] : proof) {
      if (!value.is_bool() || name == "holds")
        continue;
      std::string words{name};
      for (auto& c : words)
        c = c == '_' ? ' ' : c;
      print((value.as_bool() ? how.out.good("holds") : how.out.bad("FAILS")) + "  " + words
            + '\n');
    }
    print("\n" + grouped(static_cast<std::uint64_t>(integer_at(proof, "entries")))
          + " entries, " + grouped(static_cast<std::uint64_t>(integer_at(proof, "events")))
          + " events, " + grouped(static_cast<std::uint64_t>(integer_at(proof, "accounts")))
          + " accounts\n");
    if (const auto* findings = proof.if_contains("findings");
        findings && findings->is_array()) {
      for (const auto& finding : findings->as_array()) {
        if (finding.is_string())
          print("  " + std::string{finding.as_string()} + '\n');
      }
    }
  });
  if (!shown || holds)
    return shown;
  return make_error(errc::corrupt, "the ledger does not hold");
}

expected<void> list_balances(const context& how) {
  return show_list(how, "/admin/v1/ledger/balances", extent::whole, balance_columns);
}

expected<void> cut_off(const context& how, const std::string& merchant, bool settle) {
  json::object body{{"settle", settle}};
  if (!merchant.empty())
    body["merchant"] = merchant;
  bool complete = false;
  std::string waits_for;
  auto answer = how.admin.post("/admin/v1/cutoff", body, cutoff_limit);
  if (answer && answer->is_object()) {
    complete = flag_at(answer->as_object(), "complete");
    waits_for = string_at(answer->as_object(), "detail");
  }
  auto shown = show_object(how, std::move(answer), [&](const json::object& result) {
    const auto count = [&](std::string_view name) {
      return grouped(static_cast<std::uint64_t>(integer_at(result, name))) + ' '
             + std::string{name};
    };
    print(count("batches") + ", " + count("items") + ", " + count("files") + ", "
          + count("reconciled") + ", " + count("exceptions") + '\n');
  });
  if (!shown || complete)
    return shown;
  return make_error(errc::unavailable,
                    "not complete yet, but it goes on by itself: " + waits_for);
}

} // namespace holdfast::cli::ctl
