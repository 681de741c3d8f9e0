#include "runtime/cluster/prober.hpp"

#include "messages/limits.hpp"
#include "messages/thread_name.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/io/basp/header.hpp>
#include <openssl/sslerr.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::cluster {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// What CAF's handshake may be long: a name, and the interface of an actor.
constexpr std::uint32_t handshake_bytes_max = 16 * 1024;

/// What the other end objects to, as its alert says.
std::optional<std::string> alert_text(int reason) {
  switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return "it refuses our certificate: that is signed by another authority than it trusts";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "it refuses our certificate: that has expired, by its clock";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "it refuses us: we have shown no certificate";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: return "it refuses our certificate";
    default: return std::nullopt;
  }
}

/// Bytes that are no TLS at all.
bool is_plain_text(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG
         || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_UNSUPPORTED_PROTOCOL
         || reason == SSL_R_ENCRYPTED_LENGTH_TOO_LONG || reason == SSL_R_BAD_RECORD_TYPE;
}

/// One look. Lives until it has answered.
class probe : public std::enable_shared_from_this<probe> {
public:
  probe(asio::io_context& io, asio::ssl::context* tls, prober::callback done)
    : resolver_(io),
      socket_(io),
      deadline_(io, std::chrono::milliseconds{limits::link_probe_ms_max}),
      done_(std::move(done)) {
    if (tls)
      tls_.emplace(socket_, *tls);
  }

  ~probe() { fail("this node stops"); }

  void begin(const std::string& host, const std::string& port) {
    deadline_.async_wait([self = weak_from_this()](error_code cancelled) {
      const auto alive = self.lock();
      if (!cancelled && alive)
        alive->fail(alive->is_connected_ ? "it takes connections and doesn't answer"
                                         : "no connection in time");
    });
    resolver_.async_resolve(
      host, port, [self = shared_from_this()](error_code failed, auto found) {
        if (failed)
          return self->fail("its name cannot be resolved: " + failed.message());
        self->connect(std::move(found));
      });
  }

private:
  void connect(tcp::resolver::results_type found) {
    asio::async_connect(socket_, found,
                        [self = shared_from_this()](error_code failed, auto&&...) {
                          if (failed)
                            return self->fail("cannot connect: " + failed.message());
                          self->is_connected_ = true;
                          self->greet();
                        });
  }

  void greet() {
    if (!tls_)
      return read(socket_);
    tls_->async_handshake(asio::ssl::stream_base::client,
                          [self = shared_from_this()](error_code failed) {
                            if (failed)
                              return self->fail(self->tls_trouble(failed));
                            self->read(*self->tls_);
                          });
  }

  /// Whether it takes us, a server of TLS 1.3 says only after the handshake: CAF's speaks
  /// first.
  template <class Stream>
  void read(Stream& stream) {
    heard_.resize(caf::io::basp::header_size);
    asio::async_read(stream, asio::buffer(heard_),
                     [self = shared_from_this(), &stream](error_code failed, std::size_t) {
                       if (failed)
                         return self->fail(self->tls_trouble(failed));
                       self->read_name(stream);
                     });
  }

  template <class Stream>
  void read_name(Stream& stream) {
    caf::io::basp::header header;
    caf::binary_deserializer source{nullptr, heard_};
    if (!source.apply(header) || !caf::io::basp::valid(header)
        || header.operation != caf::io::basp::message_type::server_handshake
        || header.payload_len > handshake_bytes_max)
      return fail("it is no cluster port");
    heard_.resize(header.payload_len);
    asio::async_read(stream, asio::buffer(heard_),
                     [self = shared_from_this()](error_code failed, std::size_t) {
                       caf::node_id name;
                       caf::binary_deserializer named{nullptr, self->heard_};
                       if (failed || !named.apply(name) || !name)
                         return self->fail("it is no cluster port");
                       self->finish(std::move(name));
                     });
  }

  std::string tls_trouble(error_code failed) {
    const bool is_tls = failed.category() == asio::error::get_ssl_category();
    const int reason = is_tls ? ERR_GET_REASON(static_cast<unsigned long>(failed.value())) : 0;
    if (is_tls && reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
      return "its certificate "
             + verification_text(SSL_get_verify_result(tls_->native_handle()));
    if (const auto text = is_tls ? alert_text(reason) : std::nullopt)
      return *text;
    if (is_tls && is_plain_text(reason))
      return "it speaks plain text, and not TLS";
    if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated
        || failed == asio::error::connection_reset)
      return tls_ ? "it has hung up: is it a cluster port, and with TLS?"
                  : "it has hung up: is it a cluster port, and in plain text?";
    return "TLS fails: " + failed.message();
  }

  void fail(const std::string& trouble) { finish(make_error(errc::unavailable, trouble)); }

  void finish(expected<caf::node_id> result) {
    const auto done = std::exchange(done_, nullptr);
    if (!done)
      return;
    error_code ignored;
    deadline_.cancel();
    resolver_.cancel();
    socket_.close(ignored);
    done(std::move(result));
  }

  tcp::resolver resolver_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  asio::steady_timer deadline_;
  prober::callback done_;
  std::vector<char> heard_;
  bool is_connected_ = false;
};

} // namespace

class prober::engine {
public:
  explicit engine(const std::shared_ptr<const node_credentials>& keys) {
    if (keys) {
      tls_.emplace(asio::ssl::context::tls_client);
      tls_->use_certificate_chain_file(keys->certificate_path());
      tls_->use_private_key_file(keys->key_path(), asio::ssl::context::pem);
      tls_->load_verify_file(keys->authority_path());
      tls_->set_verify_mode(asio::ssl::verify_peer);
    }
    thread_ = std::thread{[this] {
      name_this_thread("prober");
      io_.run();
    }};
  }

  ~engine() {
    io_.stop();
    thread_.join();
  }

  void look_at(const std::string& host, std::uint16_t port, callback done) {
    asio::post(io_, [this, host, port, done = std::move(done)]() mutable {
      std::make_shared<probe>(io_, tls_ ? &*tls_ : nullptr, std::move(done))
        ->begin(host, std::to_string(port));
    });
  }

private:
  std::optional<asio::ssl::context> tls_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy_{io_.get_executor()};
  std::thread thread_;
};

prober::prober(std::shared_ptr<const node_credentials> keys)
  : engine_(std::make_unique<engine>(keys)) {}
prober::~prober() = default;

void prober::look_at(const std::string& host, std::uint16_t port, callback done) {
  engine_->look_at(host, port, std::move(done));
}

} // namespace holdfast::cluster
