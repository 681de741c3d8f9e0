// Everything that the sandbox knows, rebuilt from its facts: gateways, tokens, settlement
// files.
#pragma once

#include "messages/expected.hpp"
#include "runtime/sandbox/fact.hpp"
#include "runtime/sandbox/gateway_book.hpp"
#include "runtime/sandbox/reference_map.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sandbox {

/// A settlement file that an acquirer has accepted. Its bytes lie in a file of their own.
struct settlement_file {
  std::string acquirer;
  std::string id;
  std::string sha256;
  std::uint32_t number = 0;        ///< 1, 2, … over all acquirers
  std::int64_t lines_recorded = 0; ///< items whose settle facts are there
  bool is_done = false;
};

/// Not thread-safe.
class sandbox_state {
public:
  /// Null when there is no such gateway yet.
  [[nodiscard]] gateway_book* find_gateway(std::string_view name);
  /// Gateways come into being when they are first called. Errors: overloaded.
  [[nodiscard]] expected<gateway_book*> open_gateway(std::string_view name);

  /// The verdict on a token's card; none for a token that nobody made. Tokens belong to all
  /// gateways, so that a payment can fail over from one to the next.
  [[nodiscard]] std::optional<reason> find_token(std::string_view token) const;
  [[nodiscard]] std::size_t token_count() const noexcept { return tokens_.size(); }

  [[nodiscard]] settlement_file* find_file(std::string_view acquirer, std::string_view id);
  [[nodiscard]] const std::vector<std::unique_ptr<settlement_file>>& files() const noexcept {
    return files_;
  }

  /// Errors: corrupt.
  [[nodiscard]] expected<void> apply(const fact& entry);

private:
  expected<void> apply_file(const fact& entry);
  expected<void> apply_settle(const fact& entry);

  text_map<std::unique_ptr<gateway_book>> gateways_;
  reference_map<reason> tokens_;
  std::vector<std::unique_ptr<settlement_file>> files_;
  text_map<settlement_file*> files_by_name_;
};

} // namespace holdfast::sandbox
