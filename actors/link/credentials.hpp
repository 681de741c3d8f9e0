// What proves that a node is who it says that it is.
#pragma once

#include "messages/expected.hpp"

#include <string>
#include <string_view>

namespace holdfast::links {

/// A node's own certificate and key, and the authority that it trusts. Thread-safe.
class credentials {
public:
  virtual ~credentials() = default;

  /// PEM, with its chain.
  [[nodiscard]] virtual const std::string& certificate() const = 0;
  /// Errors: internal.
  [[nodiscard]] virtual expected<std::string> sign(std::string_view bytes) const = 0;
  /// Whether the authority has signed the certificate, it holds now and names `node`, and its
  /// key has made the signature. Errors: invalid_argument, with what is wrong as a clause that
  /// follows "the certificate of node-2": "has expired".
  [[nodiscard]] virtual expected<void> verify(std::string_view certificate,
                                              const std::string& node, std::string_view bytes,
                                              std::string_view signature) const = 0;
};

} // namespace holdfast::links
