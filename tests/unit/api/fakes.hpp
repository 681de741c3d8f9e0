// Stand-ins for what lies behind the HTTP API: a store that answers from fields at once, and a
// front that notes what it was handed.
#pragma once

#include "runtime/api/key_ring.hpp"
#include "runtime/front.hpp"
#include "runtime/http/server.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::api {

inline constexpr std::string_view test_pepper = "a pepper of at least thirty-two bytes";

/// 2026-11-23T01:27:00Z.
inline constexpr timestamp test_now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}
                                    + std::chrono::hours{1} + std::chrono::minutes{27}};

[[nodiscard]] inline merchant_id test_merchant(std::uint64_t number) {
  return merchant_id::make(test_now, shard_number{3}, number);
}

inline const shard_layout one_database{{shard_range{{0}, {31}}}};
inline const shard_layout two_databases{{shard_range{{0}, {15}}, shard_range{{16}, {31}}}};

/// What one database knows of merchants and keys.
struct known_callers {
  std::vector<storage::merchant_row> merchants;
  std::vector<storage::api_key_row> keys;
};

/// Answers within the call. While `down` is set, every look fails as unavailable.
class fake_store : public storage::store {
public:
  bool down = false;
  std::vector<storage::merchant_row> merchants;
  std::vector<storage::api_key_row> keys;
  /// What the second of two databases knows of merchants and keys; `down` is the first one's.
  std::optional<expected<known_callers>> other_part;
  /// While set, a look at the first database hears of these alone, as of what has changed.
  std::optional<std::vector<storage::api_key_row>> changed;
  storage::callers_position last_position; ///< that a look began behind
  /// The shards of a database that is away: what is of theirs, or of all, is unavailable.
  std::optional<shard_range> away;
  /// While set, looks for keys have begun but are not answered before `answer_looks`.
  bool hold_looks = false;
  std::vector<std::function<void()>> held_looks;
  std::map<payment_id, storage::payment_view> payments;
  std::map<dispute_id, storage::dispute_view> disputes;
  std::map<batch_id, storage::batch_view> batches;
  std::map<exception_id, storage::exception_view> exceptions;
  storage::exception_filter last_exceptions;
  storage::slice<storage::event_view> events;
  std::vector<storage::balance_view> balances;
  std::vector<storage::status_count> counts;
  storage::slice<storage::entry_view> entries;
  storage::slice<storage::batch_item_view> items;
  storage::payment_filter last_filter;
  std::vector<event_position> last_positions;
  std::pair<std::optional<merchant_id>, storage::page> last_export;
  storage::page last_items_window;
  int key_looks = 0;
  int merchant_tries = 0;
  int status_counts = 0;

  void ping(storage::callback<bool> done) override { answer(done, true); }

  void create_merchant(storage::merchant_row row,
                       storage::callback<storage::merchant_row> done) override {
    ++merchant_tries;
    if (is_away(row.id.shard()))
      return done(make_error(errc::unavailable, "away for the test"));
    merchants.push_back(row);
    answer(done, row);
  }
  void find_merchant(merchant_id id,
                     storage::callback<std::optional<storage::merchant_row>> done) override {
    if (is_away(id.shard()))
      return done(make_error(errc::unavailable, "away for the test"));
    const auto found = std::ranges::find(merchants, id, &storage::merchant_row::id);
    answer(done, found == merchants.end() ? std::nullopt : std::optional{*found});
  }
  void list_merchants(storage::callback<std::vector<storage::merchant_row>> done) override {
    if (away)
      return done(make_error(errc::unavailable, "away for the test"));
    answer(done, merchants);
  }
  void create_key(storage::api_key_row row,
                  storage::callback<storage::api_key_row> done) override {
    keys.push_back(row);
    answer(done, row);
  }
  void revoke_key(key_id id, timestamp at,
                  storage::callback<std::optional<storage::api_key_row>> done) override {
    std::optional<storage::api_key_row> found;
    for (auto& key : keys)
      if (key.id == id) {
        key.revoked_at = at;
        found = key;
      }
    answer(done, found);
  }
  void list_keys(std::optional<merchant_id> merchant,
                 storage::callback<std::vector<storage::api_key_row>> done) override {
    auto rows = keys;
    std::erase_if(rows, [&](const auto& key) { return merchant && key.merchant != *merchant; });
    answer(done, rows);
  }
  void list_callers(shard_number shard, storage::callers_position after,
                    storage::callback<storage::caller_changes> done) override {
    ++key_looks;
    const bool is_second = shard >= two_databases.ranges().back().first;
    expected<known_callers> part = known_callers{merchants, keys};
    if (is_second)
      part = other_part.value_or(known_callers{});
    else if (changed)
      part->keys = *changed;
    if (!is_second)
      last_position = after;
    expected<storage::caller_changes> told = make_error(errc::unavailable, "down for the test");
    if (part && !is_away(shard) && (is_second || !down))
      told = changes_of(*part, is_second || !changed);
    if (hold_looks)
      held_looks.push_back([done, told] { done(told); });
    else
      done(std::move(told));
  }
  static storage::caller_changes changes_of(const known_callers& part, bool is_all) {
    storage::caller_changes changes;
    changes.is_all = is_all;
    changes.upto = {.server_start = test_now, .transaction = part.keys.size()};
    for (const auto& key : part.keys) {
      const auto owner =
        std::ranges::find(part.merchants, key.merchant, &storage::merchant_row::id);
      if (owner != part.merchants.end())
        changes.rows.push_back({key, owner->stripes});
    }
    return changes;
  }
  void answer_looks() {
    for (const auto& look : std::exchange(held_looks, {}))
      look();
  }

  void start_shard(shard_number, timestamp,
                   storage::callback<storage::shard_start> done) override {
    answer(done, {});
  }
  void due_payments(shard_number, timestamp, std::size_t,
                    storage::callback<std::vector<payment>> done) override {
    answer(done, {});
  }
  void find_payment(payment_id id,
                    storage::callback<std::optional<storage::payment_view>> done) override {
    answer(done, found_in(payments, id));
  }
  void find_key(merchant_id, std::string,
                storage::callback<std::optional<storage::stored_key>> done) override {
    answer(done, {});
  }
  void list_payments(merchant_id, storage::payment_filter filter,
                     storage::callback<storage::slice<storage::payment_view>> done) override {
    last_filter = filter;
    storage::slice<storage::payment_view> rows;
    for (const auto& [id, view] : payments)
      rows.rows.push_back(view);
    answer(done, rows);
  }
  void find_refund(refund_id, merchant_id,
                   storage::callback<std::optional<storage::refund_view>> done) override {
    answer(done, {});
  }
  void find_dispute(dispute_id id, merchant_id,
                    storage::callback<std::optional<storage::dispute_view>> done) override {
    answer(done, found_in(disputes, id));
  }
  void list_disputes(merchant_id, storage::page,
                     storage::callback<storage::slice<storage::dispute_view>> done) override {
    storage::slice<storage::dispute_view> rows;
    for (const auto& [id, view] : disputes)
      rows.rows.push_back(view);
    answer(done, rows);
  }
  void timeline(payment_id id,
                storage::callback<std::optional<storage::timeline_view>> done) override {
    std::optional<storage::timeline_view> view;
    if (const auto subject = found_in(payments, id))
      view.emplace().subject = *subject;
    answer(done, view);
  }
  void list_events(merchant_id, std::vector<event_position> after, std::uint32_t,
                   storage::callback<storage::slice<storage::event_view>> done) override {
    last_positions = std::move(after);
    answer(done, events);
  }
  void list_entries(merchant_id, std::optional<payment_id>, std::optional<account_kind>,
                    storage::page,
                    storage::callback<storage::slice<storage::entry_view>> done) override {
    answer(done, {});
  }
  void export_entries(std::optional<merchant_id> merchant, storage::page window,
                      storage::callback<storage::slice<storage::entry_view>> done) override {
    last_export = {merchant, std::move(window)};
    answer(done, entries);
  }
  void merchant_balances(merchant_id,
                         storage::callback<std::vector<storage::balance_view>> done) override {
    answer(done, balances);
  }
  void all_balances(storage::callback<std::vector<storage::balance_view>> done) override {
    answer(done, balances);
  }
  void list_batches(std::optional<merchant_id>, storage::page,
                    storage::callback<storage::slice<storage::batch_view>> done) override {
    answer(done, {});
  }
  void find_batch(batch_id id,
                  storage::callback<std::optional<storage::batch_view>> done) override {
    answer(done, found_in(batches, id));
  }
  void list_batch_items(
    batch_id, storage::page window,
    storage::callback<storage::slice<storage::batch_item_view>> done) override {
    last_items_window = std::move(window);
    answer(done, items);
  }
  void list_exceptions(
    storage::exception_filter filter,
    storage::callback<storage::slice<storage::exception_view>> done) override {
    last_exceptions = filter;
    storage::slice<storage::exception_view> rows;
    for (const auto& [id, view] : exceptions)
      rows.rows.push_back(view);
    answer(done, rows);
  }
  void find_exception(exception_id id,
                      storage::callback<std::optional<storage::exception_view>> done) override {
    answer(done, found_in(exceptions, id));
  }
  void list_dead_letters(
    std::string, storage::page,
    storage::callback<storage::slice<storage::dead_letter_view>> done) override {
    answer(done, {});
  }
  void find_dead_letter(
    dead_letter_id, storage::callback<std::optional<storage::dead_letter_view>> done) override {
    answer(done, {});
  }
  void verify_ledger(payment_fold, std::function<void(double)>,
                     storage::callback<storage::ledger_proof> done) override {
    answer(done, {});
  }
  void make_statement(storage::callback<storage::statement> done) override { answer(done, {}); }
  void count_by_status(storage::callback<std::vector<storage::status_count>> done) override {
    ++status_counts;
    answer(done, counts);
  }

private:
  [[nodiscard]] bool is_away(shard_number shard) const { return away && away->contains(shard); }
  template <class T>
  void answer(const storage::callback<T>& done, const T& value) const {
    if (down)
      done(make_error(errc::unavailable, "down for the test"));
    else
      done(value);
  }
  template <class Map, class Id>
  static std::optional<typename Map::mapped_type> found_in(const Map& rows, const Id& id) {
    const auto entry = rows.find(id);
    return entry != rows.end() ? std::optional{entry->second} : std::nullopt;
  }
};

class fake_front : public runtime::front {
public:
  bool is_ready = true;
  bool is_full = false;
  std::vector<std::string> warnings_told;
  std::vector<runtime::shard_status> shards_seen;
  std::vector<runtime::node_status> nodes_seen;
  std::vector<runtime::shard_move> moves;
  expected<void> move_answer;
  std::vector<merchant_command> submitted;
  std::vector<webhook_notice> notices;
  api_reply reply{.status = 201,
                  .content_type = "application/json",
                  .body = "{}",
                  .location = "/v1/payments/pay_1",
                  .retry_after_s = 0,
                  .replayed = false};
  runtime::cutoff_result cutoff_answer;
  /// Of the one gateway there is, "alpha".
  mutable gateways::gate gate{gateways::gate_rules{}};
  std::vector<desk_order> orders;
  expected<exception_id> order_answer{exception_id{}};

  [[nodiscard]] bool takes_another() override { return !is_full; }
  void submit(merchant_command command, std::function<void(api_reply)> done) override {
    submitted.push_back(std::move(command));
    done(reply);
  }
  void notify(webhook_notice notice, std::string,
              std::function<void(api_reply)> done) override {
    notices.push_back(std::move(notice));
    done(reply);
  }
  void cutoff(runtime::cutoff_request, milliseconds,
              std::function<void(runtime::cutoff_result)> done) override {
    done(cutoff_answer);
  }
  void order(desk_order what, desk_callback done) override {
    orders.push_back(what);
    done(order_answer);
  }
  [[nodiscard]] bool ready() const override { return is_ready; }
  [[nodiscard]] std::vector<runtime::gateway_status> gateways() const override {
    runtime::gateway_status status;
    status.name = "alpha";
    status.gate = gate.view(test_now);
    return {status};
  }
  [[nodiscard]] bool trip_gateway(const std::string& name, std::optional<milliseconds> duration,
                                  gateways::operator_order order) override {
    if (name == "alpha")
      gate.trip(test_now, duration, std::move(order));
    return name == "alpha";
  }
  [[nodiscard]] bool reset_gateway(const std::string& name,
                                   gateways::operator_order order) override {
    if (name == "alpha")
      gate.reset(test_now, std::move(order));
    return name == "alpha";
  }
  [[nodiscard]] std::string waiting_for() const override {
    return is_ready ? std::string{} : "Shard 7 is still node-2's.";
  }
  [[nodiscard]] std::vector<std::string> warnings() const override { return warnings_told; }
  [[nodiscard]] std::vector<runtime::shard_status> shards() const override {
    return shards_seen;
  }
  [[nodiscard]] std::vector<runtime::node_status> nodes() const override { return nodes_seen; }
  void move_shards(runtime::shard_move what,
                   std::function<void(expected<void>)> done) override {
    moves.push_back(std::move(what));
    done(move_answer);
  }
  [[nodiscard]] std::string metrics_text() const override { return "front_metric 1\n"; }
};

/// Stores a merchant with one key, and returns the key's text.
/// Of a ring whose pauses are not what a test is about.
inline void run_at_once(milliseconds, const std::function<void()>& run) {
  run();
}

inline std::string add_merchant(fake_store& store, const key_ring& ring, merchant_id merchant) {
  storage::merchant_row row;
  row.id = merchant;
  row.name = "Shop";
  row.stripes = 4;
  store.merchants.push_back(row);
  const auto issued = ring.issue(merchant, false, test_now, 7).value();
  store.keys.push_back(issued.row);
  return std::string{issued.text.reveal()};
}

/// The value of a response's header; empty when there is none.
inline std::string header_of(const http::response& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers)
    if (key == name)
      return value;
  return {};
}

} // namespace holdfast::api
