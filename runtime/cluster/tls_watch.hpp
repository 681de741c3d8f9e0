// What CAF leaves undone about TLS. It keeps the errors of a connection that has failed in
// OpenSSL's queue, where they end whichever connection is looked at next; and it does not tell
// of those whom TLS has turned away: nodes with a certificate of another authority, or with
// none.
//
// The connections are CAF's, and there is no way to them but OpenSSL's own hooks.
#pragma once

#include <functional>
#include <string>

namespace holdfast::cluster {

/// From the first one on, each connection of this process finds OpenSSL's queue of errors
/// empty. As long as it lives, `told` hears of every TLS connection to this process that came
/// to nothing: from which host, and why, once for as long as the host keeps trying. On any
/// thread; must be short. TLS is spoken at no other port.
class tls_watch {
public:
  using listener = std::function<void(const std::string& host, const std::string& why)>;

  /// To be made before CAF opens a port.
  explicit tls_watch(listener told);
  ~tls_watch();
  tls_watch(const tls_watch&) = delete;
  tls_watch& operator=(const tls_watch&) = delete;

private:
  unsigned id_;
};

} // namespace holdfast::cluster
