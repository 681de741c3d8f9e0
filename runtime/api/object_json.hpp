// What the store finds, as the JSON that both ports show. Pure. Payments and refunds are
// rendered in actors/api/render.hpp, because actors answer with them too.
#pragma once

#include "storage/store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::api {

[[nodiscard]] std::string render_entry(const storage::entry_view& entry);
[[nodiscard]] std::string render_batch(const storage::batch_view& batch);
/// With a page of its items as the list `items_data`, whose own address is `items_url`.
[[nodiscard]] std::string render_batch(const storage::batch_view& batch,
                                       const storage::slice<storage::batch_item_view>& items,
                                       std::string_view items_url);
[[nodiscard]] std::string render_batch_item(const storage::batch_item_view& item);
[[nodiscard]] std::string render_exception(const storage::exception_view& exception);
/// For operators: with its age, its owner, and how it may be or was resolved.
[[nodiscard]] std::string render_exception_case(const storage::exception_view& exception,
                                                timestamp now);
[[nodiscard]] std::string render_dead_letter(const storage::dead_letter_view& letter);
/// One account with its signed balance: debit positive.
[[nodiscard]] std::string render_account_balance(const storage::balance_view& balance);
/// A merchant's own view, an object a currency: `pending`, `available`, `reserve` and `held`
/// are what belongs or is promised to the merchant, so a credit shows as positive.
[[nodiscard]] std::vector<std::string> render_merchant_balances(
  const std::vector<storage::balance_view>& balances);
[[nodiscard]] std::string render_timeline(const storage::timeline_view& timeline);

/// `{"object":"list","data":[…],"has_more":…,"url":…}` of rendered objects. A feed has its
/// cursor as `next` besides; an empty one is null.
[[nodiscard]] std::string render_list(std::string_view url,
                                      const std::vector<std::string>& data, bool has_more,
                                      std::optional<std::string_view> next = std::nullopt);

template <class Row, class Render>
[[nodiscard]] std::string render_list(std::string_view url, const storage::slice<Row>& rows,
                                      Render render) {
  std::vector<std::string> data;
  data.reserve(rows.rows.size());
  for (const auto& row : rows.rows)
    data.push_back(render(row));
  return render_list(url, data, rows.has_more);
}

} // namespace holdfast::api
