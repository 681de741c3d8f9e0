#include "actors/link/mesh.hpp"

#include "actors/caf.hpp"
#include "actors/link/actor.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"
#include "messages/printable.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace holdfast::links {

namespace {

/// "host:port", "[::1]:port". Peers say such things, so that it is looked at closely.
std::optional<link_address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (text.size() > limits::link_address_bytes_max || colon == std::string::npos)
    return std::nullopt;
  link_address result{text, text.substr(0, colon), 0};
  auto& host = result.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const auto* const end = text.data() + text.size();
  const auto [last, failed] = std::from_chars(text.data() + colon + 1, end, result.port);
  const bool is_plain = std::ranges::all_of(host, [](char c) { return c > ' ' && c < '\x7f'; });
  if (failed != std::errc{} || last != end || result.port == 0 || host.empty() || !is_plain)
    return std::nullopt;
  return result;
}

/// Without certificates nobody proves who he is: then links stay on this machine.
bool may_link(const environment& env, const link_address& to) {
  return env.keys || to.host == "127.0.0.1";
}

} // namespace

mesh::mesh(caf::actor_system& system, std::vector<std::string> seeds)
  : system_(system),
    seeds_(std::move(seeds)) {}

void mesh::start(environment_ptr env) {
  {
    const std::lock_guard lock{starting_};
    env_ = std::move(env);
  }
  know({});
}

void mesh::ask(const std::string& node, peer_request what, milliseconds deadline,
               peer_callback done) {
  const auto seat = roll_->find(node);
  if (!seat)
    return done(not_answered(make_error(errc::unavailable, "there is no link to " + node)));
  // What waits in the link's mailbox is bounded too.
  if (++seat->board->asked > 2 * limits::link_window_requests) {
    --seat->board->asked;
    return done(not_answered(make_error(errc::overloaded, node + " has its hands full")));
  }
  const auto counted = [board = seat->board, done = std::move(done)](peer_outcome outcome) {
    --board->asked;
    done(std::move(outcome));
  };
  const auto until = std::chrono::steady_clock::now()
                     + std::min(deadline, milliseconds{limits::link_deadline_ms_max});
  actors::tell(seat->link, actors::ask_peer{std::move(what), until,
                                            std::make_shared<ask_promise>(counted)});
}

bool mesh::reaches(const std::string& node) const {
  return roll_->find(node).has_value();
}

void mesh::know(std::vector<std::string> addresses) {
  addresses.insert(addresses.end(), seeds_.begin(), seeds_.end());
  roll_->keep(addresses);
  for (const auto& address : addresses)
    link_to(address);
}

void mesh::meet(const std::string& address) {
  link_to(address);
  // It is there, whatever our link has found before.
  roll_->wake(address);
}

std::vector<link_status> mesh::status() const {
  std::vector<link_status> result;
  for (const auto& seat : roll_->all()) {
    result.push_back(seat.board->read());
    result.back().outstanding = seat.board->asked;
  }
  return result;
}

void mesh::link_to(const std::string& address) {
  const std::lock_guard lock{starting_};
  const auto parsed = parse_address(address);
  if (!env_ || !parsed || roll_->has(address))
    return;
  if (!may_link(*env_, *parsed)) {
    if (!std::exchange(has_refused_, true))
      env_->log(actors::severity::warning,
                "no link to " + address
                  + ", nor to any other than 127.0.0.1: that needs [cluster] tls");
    return;
  }
  auto board = std::make_shared<link_board>();
  board->update([&](link_status& status) { status.address = address; });
  auto link = spawn_link(system_, env_, *parsed, board);
  if (roll_->add(address, {link, board}))
    actors::tell(link, actors::connect_now{});
  else
    actors::tell(link, actors::say_goodbye{});
}

} // namespace holdfast::links
