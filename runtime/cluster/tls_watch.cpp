#include "runtime/cluster/tls_watch.hpp"

#include "messages/limits.hpp"
#include "runtime/cluster/credentials.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace holdfast::cluster {

namespace {

using clock = std::chrono::steady_clock;

/// Whoever listens, and which troubles of which hosts are not news any more.
struct observers {
  std::mutex mutex;
  unsigned ids = 0;
  std::map<unsigned, tls_watch::listener> all;
  std::map<std::pair<std::string, std::string>, clock::time_point> seen;

  /// A host that tries again and again is worth one word.
  bool is_news(const std::string& host, const std::string& why) {
    const auto now = clock::now();
    const auto is_old = [now](const auto& one) {
      return now - one.second > std::chrono::milliseconds{limits::link_spare_ms};
    };
    std::erase_if(seen, is_old);
    if (seen.size() >= limits::links_max)
      return false;
    return !std::exchange(seen[{host, why}], now).time_since_epoch().count();
  }
};

observers& the_observers() {
  static observers instance;
  return instance;
}

std::string host_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* host = nullptr;
  if (socket >= 0 && ::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    if (address.ss_family == AF_INET)
      host = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    else if (address.ss_family == AF_INET6)
      host = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  }
  if (!host || !::inet_ntop(address.ss_family, host, text.data(), text.size()))
    return "a host that is gone";
  return text.data();
}

bool has_failed(const SSL* connection) {
  return SSL_state_string(connection) == std::string_view{"SSLERR"};
}

/// Where a connection keeps the last alert that it has heard or given: its number, below what
/// OpenSSL says of the event.
int alert_index = -1;

/// None: it is nothing worth a word; a connection that was opened and closed.
std::optional<std::string> trouble_of(const SSL* visitor, std::uintptr_t alert) {
  if (const auto code = SSL_get_verify_result(visitor); code != X509_V_OK)
    return "its certificate " + verification_text(code);
  if (!has_failed(visitor) || BIO_number_read(SSL_get_rbio(visitor)) == 0)
    return std::nullopt;
  if (const auto step = SSL_get_state(visitor);
      step == TLS_ST_BEFORE || step == TLS_ST_SR_CLNT_HELLO)
    return "it doesn't speak TLS";
  const auto what = static_cast<int>(alert & 0xff);
  if ((alert >> 8U & SSL_CB_READ) != 0)
    return std::string{"it does not accept our certificate: "}
           + SSL_alert_desc_string_long(what);
  if (what == SSL_AD_CERTIFICATE_REQUIRED || what == SSL_AD_HANDSHAKE_FAILURE)
    return "it has shown no certificate";
  return std::nullopt;
}

// -- the hooks --------------------------------------------------------------------------------

/// Runs before every read and write of a connection, on its thread: whatever has gone wrong
/// with the one before is not this one's. What has gone wrong with itself is, while it says so.
long before_bytes(BIO* socket, int what, const char*, std::size_t, int, long, int result,
                  std::size_t*) {
  if (what == BIO_CB_READ || what == BIO_CB_WRITE)
    if (!has_failed(reinterpret_cast<const SSL*>(BIO_get_callback_arg(socket))))
      ERR_clear_error();
  return result;
}

void on_progress(const SSL* connection, int where, int value) {
  // The first sign of life of a connection that has its socket: one for both ways.
  if ((where & SSL_CB_HANDSHAKE_START) != 0) {
    auto* const socket = SSL_get_rbio(connection);
    BIO_set_callback_arg(socket, reinterpret_cast<char*>(const_cast<SSL*>(connection)));
    BIO_set_callback_ex(socket, before_bytes);
  }
  if ((where & SSL_CB_ALERT) != 0) {
    const auto alert = static_cast<std::uintptr_t>(where) << 8U | (value & 0xff);
    SSL_set_ex_data(const_cast<SSL*>(connection), alert_index, reinterpret_cast<void*>(alert));
  }
}

void on_new(void* connection, void*, CRYPTO_EX_DATA*, int, long, void*) {
  SSL_set_info_callback(static_cast<SSL*>(connection), on_progress);
}

void on_free(void* connection, void* alert, CRYPTO_EX_DATA*, int, long, void*) {
  const auto* const visitor = static_cast<const SSL*>(connection);
  if (!visitor || !SSL_is_server(visitor) || SSL_is_init_finished(visitor))
    return;
  const auto why = trouble_of(visitor, reinterpret_cast<std::uintptr_t>(alert));
  if (!why)
    return;
  const auto host = host_of(SSL_get_fd(visitor));
  auto& audience = the_observers();
  const std::lock_guard lock{audience.mutex};
  if (!audience.is_news(host, *why))
    return;
  for (const auto& [id, told] : audience.all)
    told(host, *why);
}

} // namespace

tls_watch::tls_watch(listener told) {
  static std::once_flag once;
  std::call_once(
    once, [] { alert_index = SSL_get_ex_new_index(0, nullptr, on_new, nullptr, on_free); });
  auto& audience = the_observers();
  const std::lock_guard lock{audience.mutex};
  id_ = ++audience.ids;
  audience.all[id_] = std::move(told);
}

tls_watch::~tls_watch() {
  auto& audience = the_observers();
  const std::lock_guard lock{audience.mutex};
  audience.all.erase(id_);
}

} // namespace holdfast::cluster
