// A wire that can be cut: a TCP proxy between two nodes whose behaviour is changed while it
// runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace holdfast::test {

/// What a proxy does with bytes. What it holds back is not lost: as with a real network, TCP
/// delivers it when the wire is mended, if both ends are still there.
enum class wire_mode : std::uint8_t {
  pass,
  cut,           ///< Nothing goes either way. Connections are accepted and lead nowhere.
  hold_requests, ///< Nothing goes from those who connect to the target.
  hold_answers,  ///< Nothing goes from the target to those who connect.
  reset,         ///< Connections are reset, new ones too.
};

/// Listens on a free port of 127.0.0.1, on a thread of its own. Thread-safe.
class tcp_proxy {
public:
  /// `target` is "host:port" with a numeric host; nobody need listen there yet.
  explicit tcp_proxy(const std::string& target);
  ~tcp_proxy();
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;

  /// "127.0.0.1:port", to connect to instead of the target.
  [[nodiscard]] std::string address() const;
  /// From now on, for connections that are open too. Returns once it is in force.
  void set(wire_mode mode);
  /// Where new connections go from now on.
  void aim_at(const std::string& target);
  /// That were accepted so far.
  [[nodiscard]] std::size_t connections() const;

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

} // namespace holdfast::test
