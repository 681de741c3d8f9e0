// How a route answers with what the store finds: shared by the routes of both ports.
#pragma once

#include "runtime/api/exchange.hpp"
#include "runtime/api/object_json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::api {

/// The id in the path. None: it was refused, as `what`, for no such thing can exist.
template <class Id>
[[nodiscard]] std::optional<Id> id_in_path(const exchange& call, std::string_view what) {
  const auto id = Id::parse(call.argument());
  if (id)
    return *id;
  call.refuse(refusal{
    .status = 404,
    .code = "not_found",
    .detail = "This is not the id of a " + std::string{what} + ": " + id.error().detail + ".",
    .param = {}});
  return std::nullopt;
}

/// A callback that calls `use(T)` with what was found, or refuses with the failure.
template <class T, class Use>
[[nodiscard]] storage::callback<T> unless_failed(const exchange_ptr& call, Use use) {
  return [call, use = std::move(use)](expected<T> found) {
    if (!found)
      return call->refuse(found.error());
    use(std::move(*found));
  };
}

/// A callback that sends 200 and the JSON that `render` makes of what was found.
template <class T, class Render>
[[nodiscard]] storage::callback<T> answer_with(const exchange_ptr& call, Render render) {
  return unless_failed<T>(call, [call, render = std::move(render)](const T& found) {
    call->send_json(200, render(found));
  });
}

/// Likewise for a page of a list.
template <class Row, class Render>
[[nodiscard]] storage::callback<storage::slice<Row>> answer_with_list(const exchange_ptr& call,
                                                                      Render render) {
  return answer_with<storage::slice<Row>>(
    call, [call, render = std::move(render)](const storage::slice<Row>& rows) {
      return render_list(call->request().path, rows, render);
    });
}

/// Likewise for rows that are few enough to come at once.
template <class Row, class Render>
[[nodiscard]] std::string render_all(const exchange& call, const std::vector<Row>& rows,
                                     Render render) {
  return render_list(call.request().path, storage::slice<Row>{rows, false}, render);
}

} // namespace holdfast::api
