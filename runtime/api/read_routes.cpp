// The GETs: read from the store, shown to the merchant that owns what was found.
#include "actors/api/render.hpp"
#include "messages/entry_id.hpp"
#include "messages/feed_cursor.hpp"
#include "runtime/api/batch_reading.hpp"
#include "runtime/api/event_json.hpp"
#include "runtime/api/public_routes.hpp"
#include "runtime/api/query.hpp"
#include "runtime/api/reading.hpp"

#include <algorithm>
#include <array>

namespace holdfast::api {

namespace {

constexpr std::array<std::string_view, 12> public_statuses{
  "processing", "pending_gateway", "authorized", "partially_captured",
  "captured",   "batched",         "settled",    "rejected",
  "declined",   "voided",          "expired",    "failed"};

constexpr std::array merchant_accounts{
  account_kind::hold_contra, account_kind::merchant_pending, account_kind::merchant_available,
  account_kind::merchant_reserve};

std::string render_view(const storage::payment_view& view) {
  return render_payment(view.row, view.batch);
}

expected<std::string> parse_status(std::string_view given) {
  if (std::find(public_statuses.begin(), public_statuses.end(), given) == public_statuses.end())
    return make_error(errc::invalid_argument, "Expected one of the payment statuses.");
  return std::string{given};
}

expected<account_kind> parse_merchant_account(std::string_view given) {
  const auto kind =
    std::find_if(merchant_accounts.begin(), merchant_accounts.end(),
                 [given](account_kind candidate) { return to_string(candidate) == given; });
  if (kind == merchant_accounts.end())
    return make_error(errc::invalid_argument,
                      "Expected merchant_pending, merchant_available, merchant_reserve or "
                      "hold_contra.");
  return *kind;
}

} // namespace

void list_payments_route(public_services& services, const exchange_ptr& call) {
  query_reader query{call->request(), {"status", "reference", "limit", "starting_after"}};
  storage::payment_filter filter;
  filter.status = query.parsed<std::string>("status", parse_status).value_or("");
  filter.reference = query.text("reference");
  filter.window = query.page<payment_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services.store.list_payments(call->who().merchant, std::move(filter),
                               answer_with_list<storage::payment_view>(call, render_view));
}

void show_payment_route(public_services& services, const exchange_ptr& call) {
  using found = std::optional<storage::payment_view>;
  if (const auto id = id_in_path<payment_id>(*call, "payment"))
    services.store.find_payment(*id, unless_failed<found>(call, [call](const found& view) {
      if (!view || view->row.merchant != call->who().merchant)
        return call->refuse_absent("payment");
      call->send_json(200, render_view(*view));
    }));
}

void show_timeline_route(public_services& services, const exchange_ptr& call) {
  using found = std::optional<storage::timeline_view>;
  if (const auto id = id_in_path<payment_id>(*call, "payment"))
    services.store.timeline(*id, unless_failed<found>(call, [call](const found& view) {
      if (!view || view->subject.row.merchant != call->who().merchant)
        return call->refuse_absent("payment");
      call->send_json(200, render_timeline(*view));
    }));
}

void show_refund_route(public_services& services, const exchange_ptr& call) {
  using found = std::optional<storage::refund_view>;
  const auto id = id_in_path<refund_id>(*call, "refund");
  if (!id)
    return;
  services.store.find_refund(
    *id, call->who().merchant, unless_failed<found>(call, [call](const found& view) {
      if (!view)
        return call->refuse_absent("refund");
      call->send_json(200, render_refund(view->payment, view->unit, view->row));
    }));
}

void list_disputes_route(public_services& services, const exchange_ptr& call) {
  query_reader query{call->request(), {"limit", "starting_after"}};
  const auto window = query.page<dispute_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services.store.list_disputes(
    call->who().merchant, window,
    answer_with_list<storage::dispute_view>(call, [](const storage::dispute_view& view) {
      return render_dispute(view.payment, view.unit, view.row);
    }));
}

void show_dispute_route(public_services& services, const exchange_ptr& call) {
  using found = std::optional<storage::dispute_view>;
  const auto id = id_in_path<dispute_id>(*call, "dispute");
  if (!id)
    return;
  services.store.find_dispute(
    *id, call->who().merchant, unless_failed<found>(call, [call](const found& view) {
      if (!view)
        return call->refuse_absent("dispute");
      call->send_json(200, render_dispute(view->payment, view->unit, view->row));
    }));
}

void list_balances_route(public_services& services, const exchange_ptr& call) {
  using balances = std::vector<storage::balance_view>;
  services.store.merchant_balances(
    call->who().merchant, answer_with<balances>(call, [call](const balances& found) {
      return render_list(call->request().path, render_merchant_balances(found), false);
    }));
}

void list_entries_route(public_services& services, const exchange_ptr& call) {
  query_reader query{call->request(), {"payment", "account", "limit", "starting_after"}};
  const auto subject = query.id<payment_id>("payment");
  const auto kind = query.parsed<account_kind>("account", parse_merchant_account);
  const auto window = query.page<entry_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services.store.list_entries(call->who().merchant, subject, kind, window,
                              answer_with_list<storage::entry_view>(call, render_entry));
}

void list_batches_route(public_services& services, const exchange_ptr& call) {
  query_reader query{call->request(), {"limit", "starting_after"}};
  const auto window = query.page<batch_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  services.store.list_batches(
    call->who().merchant, window,
    answer_with_list<storage::batch_view>(
      call, [](const storage::batch_view& batch) { return render_batch(batch); }));
}

void show_batch_route(public_services& services, const exchange_ptr& call) {
  answer_with_batch(services.store, call, call->who().merchant, batch_form::whole);
}

void list_batch_items_route(public_services& services, const exchange_ptr& call) {
  answer_with_batch(services.store, call, call->who().merchant, batch_form::items_only);
}

void list_events_route(public_services& services, const exchange_ptr& call) {
  const auto home = call->who().merchant.shard();
  const auto shards =
    shards_of_merchant(home, call->who().stripes, services.options.layout.range_of(home));
  query_reader query{call->request(), {"after", "limit"}};
  const auto after = query.parsed<feed_cursor>(
    "after", [&](std::string_view given) { return feed_cursor::parse(given, shards); });
  const auto limit = query.limit();
  if (query.refused())
    return call->refuse(*query.refused());
  using events = storage::slice<storage::event_view>;
  auto cursor = after.value_or(feed_cursor::at_start(shards));
  auto positions = cursor.positions();
  services.store.list_events(
    call->who().merchant, std::move(positions), limit,
    answer_with<events>(
      call, [call, cursor = std::move(cursor), begun = after.has_value()](const events& found) {
        auto next = cursor;
        std::vector<std::string> data;
        for (const auto& event : found.rows) {
          data.push_back(render_event(event));
          next.pass(event.shard, event.seq);
        }
        // At the end of the feed the cursor stays, so that a reader can go on asking with it.
        const bool nothing_read = !begun && found.rows.empty();
        return render_list(call->request().path, data, found.has_more,
                           nothing_read ? std::string{} : next.text());
      }));
}

void show_openapi_route(public_services& services, const exchange_ptr& call) {
  call->send_json(200, services.openapi);
}

} // namespace holdfast::api
