// An authority of one's own and the certificates of the nodes that it vouches for: what mutual
// TLS between nodes needs and no public authority gives.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <string>
#include <vector>

namespace holdfast::embedded {

/// Vouches for nodes. Who has its key can make a node that the others trust.
struct authority {
  std::string certificate_pem;
  std::string key_pem;
};

/// Of one node, for both ends of a link.
struct identity {
  std::string certificate_pem;
  std::string key_pem;
};

inline constexpr int authority_days = 3'650;
inline constexpr int node_days = 397;

/// A new authority with a P-256 key, from now on for so many days; `name` is its common name,
/// at most 64 bytes. Errors: invalid_argument, internal (OpenSSL's words).
[[nodiscard]] expected<authority> make_authority(const std::string& name, int days);

/// A new key and a certificate that names the node: the id as common name and as DNS name,
/// besides the hosts, which may be names or addresses. It ends with its authority at the
/// latest; fewer than one day makes one that has lapsed already. Errors: invalid_argument (no
/// such name, the authority's files are not what they should be), internal.
[[nodiscard]] expected<identity> issue(const authority& by, const std::string& node_id,
                                       const std::vector<std::string>& hosts, int days);

/// The last moment at which a certificate holds. Errors: invalid_argument (not a certificate).
[[nodiscard]] expected<timestamp> valid_until(const std::string& certificate_pem);

/// Whether the authority has signed the certificate, which may have lapsed.
[[nodiscard]] bool has_issued(const authority& by, const std::string& certificate_pem);

/// Whether the key is the one that the certificate speaks of.
[[nodiscard]] bool belong_together(const identity& node);

/// Whether the certificate is one of those in the bundle.
[[nodiscard]] bool contains(const std::string& bundle_pem, const std::string& certificate_pem);

} // namespace holdfast::embedded
