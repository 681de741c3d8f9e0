// The ledger as operators see it: any payment, the proof, balances, export and the statement.
#include "actors/api/render.hpp"
#include "messages/entry_id.hpp"
#include "messages/json_writer.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/query.hpp"
#include "runtime/api/reading.hpp"

namespace holdfast::api {

namespace {

std::string render_proof(const storage::ledger_proof& proof) {
  json_writer json{1'024};
  json.begin_object()
    .member("object", "ledger_proof")
    .member("holds", proof.holds())
    .member("debits_equal_credits", proof.debits_equal_credits)
    .member("balances_equal_fold", proof.balances_equal_fold)
    .member("running_balances_hold", proof.running_balances_hold)
    .member("postings_balance", proof.postings_balance)
    .member("sequences_have_no_gap", proof.sequences_have_no_gap)
    .member("chain_holds", proof.chain_holds)
    .member("payments_match_events", proof.payments_match_events)
    .member("entries", proof.entries)
    .member("events", proof.events)
    .member("accounts", proof.accounts)
    .key("findings")
    .begin_array();
  for (const auto& finding : proof.findings)
    json.value(finding);
  return json.end_array().end_object().take();
}

void write_statement_row(json_writer& json, const storage::statement_row& row) {
  json.begin_object()
    .member("merchant", row.merchant.text())
    .member("name", row.merchant_name)
    .member("currency", row.unit.code())
    .member("settled_items", row.settled_items)
    .member("gross", row.gross.value())
    .member("refunds", row.refunds.value())
    .member("fees", row.fees.value())
    .member("net", row.net.value())
    .end_object();
}

std::string render_statement(const storage::statement& statement) {
  json_writer json{2'048};
  json.begin_object().member("object", "statement").key("by_status").begin_array();
  for (const auto& count : statement.by_status)
    json.begin_object()
      .member("status", count.status)
      .member("currency", count.unit.code())
      .member("payments", count.payments)
      .member("amount", count.amount.value())
      .end_object();
  json.end_array().key("by_merchant").begin_array();
  for (const auto& row : statement.by_merchant)
    write_statement_row(json, row);
  json.end_array().key("exceptions_by_class").begin_array();
  for (const auto& [name, count] : statement.exceptions_by_class)
    json.begin_object().member("class", name).member("count", count).end_object();
  return json.end_array().end_object().take();
}

/// RFC 4180: quoted where it must be, with inner quotes doubled.
std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos)
    return std::string{text};
  std::string quoted{"\""};
  for (const char c : text) {
    if (c == '"')
      quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_line(const storage::entry_view& entry) {
  std::string line = entry_id{entry.shard, entry.seq, entry.leg}.text();
  for (const auto& field :
       {event_id_text(entry.shard, entry.seq), std::string{to_string(entry.kind)},
        to_hex(entry.subject), std::to_string(entry.ordinal),
        std::string{to_string(entry.where.kind)}, csv_field(entry.where.owner),
        std::string{entry.where.unit.code()}, std::to_string(entry.amount.value()),
        std::to_string(entry.balance_after.value()), to_rfc3339(entry.at),
        csv_field(entry.external_ref)})
    line.append(",").append(field);
  return line + "\r\n";
}

constexpr std::string_view csv_head =
  "id,event,event_type,subject,ordinal,account,owner,currency,amount,balance_after,effective_at,"
  "external_ref\r\n";

http::response render_export(const exchange& call, const std::string& format,
                             const storage::slice<storage::entry_view>& entries) {
  const bool csv = format == "csv";
  http::response answer;
  answer.status = 200;
  answer.content_type =
    csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
  if (csv)
    answer.body = csv_head;
  for (const auto& entry : entries.rows)
    answer.body += csv ? csv_line(entry) : render_entry(entry) + '\n';
  if (entries.has_more && !entries.rows.empty()) {
    const auto& last = entries.rows.back();
    std::string next = call.request().path
                       + "?starting_after=" + entry_id{last.shard, last.seq, last.leg}.text();
    for (const auto& [name, value] : call.request().query)
      if (name != "starting_after")
        next.append("&").append(name).append("=").append(value);
    answer.headers.emplace_back("Link", "<" + next + ">; rel=\"next\"");
  }
  return answer;
}

expected<std::string> parse_format(std::string_view given) {
  if (given != "ndjson" && given != "csv")
    return make_error(errc::invalid_argument, "Expected ndjson or csv.");
  return std::string{given};
}

} // namespace

void show_any_payment_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using found = std::optional<storage::payment_view>;
  if (const auto id = id_in_path<payment_id>(*call, "payment"))
    services->store.find_payment(*id, unless_failed<found>(call, [call](const found& view) {
      if (!view)
        return call->refuse_absent("payment");
      call->send_json(200, render_payment(view->row, view->batch));
    }));
}

void show_any_timeline_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using found = std::optional<storage::timeline_view>;
  if (const auto id = id_in_path<payment_id>(*call, "payment"))
    services->store.timeline(*id, unless_failed<found>(call, [call](const found& view) {
      if (!view)
        return call->refuse_absent("payment");
      call->send_json(200, render_timeline(*view));
    }));
}

void verify_ledger_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (services->is_verifying.exchange(true))
    return call->refuse(make_error(errc::overloaded, "a proof is being made already"));
  services->store.verify_ledger(
    services->options.fold, [](double) {},
    [services, call](const expected<storage::ledger_proof>& proof) {
      services->is_verifying = false;
      if (!proof)
        return call->refuse(proof.error());
      call->send_json(200, render_proof(*proof));
    });
}

void ledger_balances_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using balances = std::vector<storage::balance_view>;
  services->store.all_balances(answer_with<balances>(call, [call](const balances& rows) {
    return render_all(*call, rows, render_account_balance);
  }));
}

void export_ledger_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using entries = storage::slice<storage::entry_view>;
  query_reader query{call->request(), {"merchant", "format", "limit", "starting_after"}};
  const auto merchant = query.id<merchant_id>("merchant");
  const auto format = query.parsed<std::string>("format", parse_format).value_or("ndjson");
  const auto window = query.page<entry_id>(limits::export_rows_max);
  if (query.refused())
    return call->refuse(*query.refused());
  services->store.export_entries(
    merchant, window, unless_failed<entries>(call, [call, format](const entries& rows) {
      call->send(render_export(*call, format, rows));
    }));
}

void statement_route(const admin_services_ptr& services, const exchange_ptr& call) {
  services->store.make_statement(answer_with<storage::statement>(call, render_statement));
}

} // namespace holdfast::api
