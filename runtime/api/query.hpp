// Reads the query of a list: parameters by name and type, the first wrong one remembered.
#pragma once

#include "messages/expected.hpp"
#include "messages/ids.hpp"
#include "messages/limits.hpp"
#include "runtime/api/refusal.hpp"
#include "runtime/http/message.hpp"
#include "storage/store.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::api {

/// After the first refusal, what is returned is meaningless. The request must outlive it.
class query_reader {
public:
  /// Refuses parameters that are not among `known` and those given twice.
  query_reader(const http::request& request, std::initializer_list<std::string_view> known);

  /// Empty when it is not there.
  [[nodiscard]] std::string_view text(std::string_view name) const;
  /// An id of the given kind, if the parameter is there.
  template <class Id>
  [[nodiscard]] std::optional<Id> id(std::string_view name) {
    return parsed<Id>(name, [](std::string_view given) { return Id::parse(given); });
  }
  /// Whatever `parse` (string_view → expected<T>) makes of the parameter, if it is there.
  template <class T, class Parse>
  [[nodiscard]] std::optional<T> parsed(std::string_view name, Parse parse) {
    const auto given = text(name);
    if (given.empty())
      return std::nullopt;
    auto value = parse(given);
    if (!value) {
      refuse(name, value.error().detail);
      return std::nullopt;
    }
    return std::move(*value);
  }
  /// `limit`, from 1 to `most`.
  [[nodiscard]] std::uint32_t limit(std::uint32_t most = limits::list_limit_max);
  /// `limit` and `starting_after`, which must be an id of the listed kind.
  template <class Id>
  [[nodiscard]] storage::page page(std::uint32_t most = limits::list_limit_max) {
    const auto after = id<Id>("starting_after");
    return {.limit = limit(most), .starting_after = after ? after->text() : std::string{}};
  }

  void refuse(std::string_view name, std::string detail);
  [[nodiscard]] const std::optional<refusal>& refused() const noexcept { return refused_; }

private:
  const http::request& request_;
  std::optional<refusal> refused_;
};

} // namespace holdfast::api
