#include "runtime/api/batch_reading.hpp"

#include "messages/item_id.hpp"
#include "runtime/api/query.hpp"
#include "runtime/api/reading.hpp"

namespace holdfast::api {

namespace {

using items = storage::slice<storage::batch_item_view>;

std::string render_page(const exchange& call, const storage::batch_view& batch,
                        const items& page, batch_form form) {
  const auto& path = call.request().path;
  return form == batch_form::whole ? render_batch(batch, page, path + "/items")
                                   : render_list(path, page, render_batch_item);
}

} // namespace

void answer_with_batch(storage::store& store, const exchange_ptr& call,
                       const std::optional<merchant_id>& owner, batch_form form) {
  using found = std::optional<storage::batch_view>;
  const auto id = id_in_path<batch_id>(*call, "batch");
  if (!id)
    return;
  query_reader query{call->request(), {"limit", "starting_after"}};
  auto window = query.page<item_id>();
  if (query.refused())
    return call->refuse(*query.refused());
  const auto show = [&store, call, owner, form, window](const found& view) {
    if (!view || (owner && view->merchant != *owner))
      return call->refuse_absent("batch");
    store.list_batch_items(
      view->id, window,
      answer_with<items>(call, [call, form, batch = *view](const items& page) {
        return render_page(*call, batch, page, form);
      }));
  };
  store.find_batch(*id, unless_failed<found>(call, show));
}

} // namespace holdfast::api
