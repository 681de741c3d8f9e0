#include "actors/link/door.hpp"

#include "actors/caf.hpp"
#include "actors/link/handshake.hpp"
#include "actors/link/mark_changes.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"
#include "messages/printable.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace holdfast::links {

namespace {

using actors::severity;

std::string shown(std::string_view text) {
  return printable(text, limits::link_text_bytes_max);
}

/// Somebody who has said hello and not yet proved who he is.
struct visitor {
  callee handshake;
  caf::actor from;
  std::uint64_t attempt = 0;
  steady_time until;
};

/// A node's link that was let in.
struct session {
  introduction who;
  caf::actor from;
  std::uint32_t protocol = protocol_max;
  std::int64_t missed = 0;      ///< heartbeats in a row that did not come
  std::uint64_t last_taken = 0; ///< of its requests; they come in the order of their numbers
  mark_changes told;
  std::unordered_map<std::uint64_t, steady_time>
    served; ///< requests, and when each is given up
};

class door_actor : public caf::event_based_actor {
public:
  door_actor(caf::actor_config& cfg, environment_ptr env)
    : caf::event_based_actor(cfg),
      env_(std::move(env)) {
    set_down_handler([this](caf::down_msg& down) { on_down(down.source); });
  }

  caf::behavior make_behavior() override {
    next_beat_ = next_tidy_ = env_->now();
    look();
    return {
      [this](const actors::frame& m) { on_frame(m); },
      [this](const actors::peer_answered& m) { on_answered(m); },
      [this](actors::link_tick) { look(); },
      [this](actors::say_goodbye) { say_goodbye(); },
    };
  }

  const char* name() const override { return "door"; }

  void on_exit() override {
    visitors_.clear();
    sessions_.clear();
  }

private:
  // -- time -----------------------------------------------------------------------------------

  void look() {
    const auto now = env_->now();
    std::erase_if(visitors_, [now](const auto& one) { return now >= one.second.until; });
    if (now >= next_beat_) {
      next_beat_ = now + milliseconds{limits::link_heartbeat_ms};
      count_heartbeats(now);
    }
    if (now >= next_tidy_) {
      next_tidy_ = now + milliseconds{limits::link_tidy_ms};
      env_->tidy();
    }
    actors::tell_self_later(this, milliseconds{limits::link_heartbeat_ms / 2},
                            actors::link_tick{});
  }

  /// Counted rather than timed, so that a pause of our own is nobody's death.
  void count_heartbeats(steady_time now) {
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      auto& [number, one] = *at;
      std::erase_if(one.served, [now](const auto& request) { return now >= request.second; });
      if (++one.missed <= limits::link_heartbeats_missed_max + 1) {
        ++at;
        continue;
      }
      env_->drop(one.from.node());
      at = forget(at, "no heartbeats any more");
    }
  }

  // -- the handshake --------------------------------------------------------------------------

  void on_hello(const hello& from, const caf::strong_actor_ptr& link, std::uint64_t attempt) {
    if (!link)
      return;
    auto from_link = caf::actor_cast<caf::actor>(link);
    callee handshake{introduce(*env_), env_->keys.get()};
    auto reply = handshake.answer(from);
    if (const auto* why = std::get_if<refusal>(&reply))
      return refuse(from_link, attempt, from.who.node, *why);
    if (to_string(link->node()) != from.who.io_node)
      return refuse(from_link, attempt, from.who.node,
                    {refusal_reason::nonsense, "nonsense: it says that it is another process"});
    if (!visitors_.contains(link->address()) && visitors_.size() >= limits::links_max)
      return refuse(from_link, attempt, from.who.node,
                    {refusal_reason::crowded, "crowded: too many nodes connect at once"});
    visitors_.insert_or_assign(
      link->address(), visitor{std::move(handshake), from_link, attempt,
                               env_->now() + milliseconds{limits::link_handshake_ms_max}});
    send(from_link, {.request = attempt, .body = std::get<challenge>(std::move(reply))});
  }

  void on_proof(const proof& from, const caf::strong_actor_ptr& link, std::uint64_t attempt) {
    const auto at = link ? visitors_.find(link->address()) : visitors_.end();
    if (at == visitors_.end() || at->second.attempt != attempt)
      return;
    auto guest = std::move(at->second);
    visitors_.erase(at);
    const auto& who = guest.handshake.peer();
    if (const auto why = guest.handshake.check(from))
      return refuse(guest.from, attempt, who.node, *why);
    if (const auto why = make_room_for(who))
      return refuse(guest.from, attempt, who.node, *why);
    let_in(guest);
  }

  /// A node has one session: a new one takes the place of the one before.
  std::optional<refusal> make_room_for(const introduction& who) {
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      if (at->second.who.node != who.node) {
        ++at;
      } else if (is_younger(at->second.who, who)) {
        return refusal{refusal_reason::superseded,
                       "superseded: a younger process runs as \"" + who.node + '"'};
      } else {
        demonitor(at->second.from);
        at = sessions_.erase(at);
      }
    }
    if (sessions_.size() >= limits::links_max)
      return refusal{refusal_reason::crowded, "crowded: as many nodes are linked as may be"};
    return std::nullopt;
  }

  void let_in(const visitor& guest) {
    const auto& who = guest.handshake.peer();
    std::uint64_t number = 0;
    while (number == 0 || sessions_.contains(number))
      number = env_->random();
    refused_.erase(who.node);
    auto& made = sessions_[number];
    made.who = who;
    made.from = guest.from;
    made.protocol = common_protocol(guest.handshake.ours(), who);
    monitor(made.from);
    send(made.from,
         {.request = guest.attempt, .body = welcome{number, limits::link_window_requests}});
    if (!who.advertise.empty())
      env_->met(who.advertise);
  }

  void refuse(const caf::actor& link, std::uint64_t attempt, const std::string& node,
              const refusal& why) {
    on_refusal(node, why.detail);
    send(link, {.request = attempt, .body = why});
  }

  /// Of either side: logged once a change of reason.
  void on_refusal(const std::string& node, const std::string& why) {
    if (refused_.size() >= limits::links_max && !refused_.contains(node))
      refused_.clear();
    if (auto& last = refused_[node]; last != why) {
      last = why;
      env_->log(severity::warning, "a link of " + shown(node) + " is refused: " + shown(why));
    }
  }

  // -- what comes -----------------------------------------------------------------------------

  void on_frame(const actors::frame& m) {
    auto got = decode_envelope(m.bytes);
    if (!got)
      return on_unreadable(m.bytes, got.error());
    if (const auto* greeting = std::get_if<hello>(&got->body))
      return on_hello(*greeting, m.from, got->request);
    if (const auto* proved = std::get_if<proof>(&got->body))
      return on_proof(*proved, m.from, got->request);
    if (const auto* refused = std::get_if<refusal>(&got->body))
      return on_refusal_by_visitor(*refused, m.from);
    const auto at = sessions_.find(got->session);
    if (at == sessions_.end())
      return; // over, or forgotten: its link will notice by the silence
    at->second.missed = 0;
    if (auto* asked = std::get_if<peer_request>(&got->body))
      serve(at->first, at->second, *got, std::move(*asked));
    else if (const auto* beat = std::get_if<ping>(&got->body))
      on_ping(at->first, at->second, *beat);
    else if (std::holds_alternative<goodbye>(got->body))
      forget(at, "it has stopped");
  }

  void on_refusal_by_visitor(const refusal& why, const caf::strong_actor_ptr& link) {
    const auto at = link ? visitors_.find(link->address()) : visitors_.end();
    if (at == visitors_.end())
      return;
    on_refusal(at->second.handshake.peer().node, why.detail);
    visitors_.erase(at);
  }

  /// A newer peer may ask for what we don't know: it hears so rather than nothing.
  void on_unreadable(const std::string& bytes, const error& why) {
    const auto head = decode_head(bytes);
    const auto at = head ? sessions_.find(head->session) : sessions_.end();
    if (at != sessions_.end() && head->request != 0)
      reject(at->first, at->second, head->request, why);
  }

  void on_ping(std::uint64_t number, session& from, const ping& beat) {
    for (const auto& mark : beat.marks)
      if (mark.shard.value < env_->marks->shards()) {
        env_->marks->note(mark.shard, mark.reached);
        from.told.heard(mark);
      }
    send(from.from, {.protocol = from.protocol,
                     .session = number,
                     .body = pong{beat.number, from.told.take(*env_->marks)}});
  }

  void on_down(const caf::actor_addr& source) {
    std::erase_if(visitors_, [&](const auto& one) { return one.first == source; });
    for (auto at = sessions_.begin(); at != sessions_.end();)
      at = at->second.from.address() == source ? forget(at, "the connection has ended")
                                               : std::next(at);
  }

  // -- what is asked --------------------------------------------------------------------------

  void serve(std::uint64_t number, session& from, const envelope& got, peer_request asked) {
    from.last_taken = std::max(from.last_taken, got.request);
    if (is_leaving_)
      return reject(number, from, got.request, make_error(errc::unavailable, "it is stopping"));
    if (from.served.size() >= limits::link_window_requests)
      return reject(number, from, got.request,
                    make_error(errc::overloaded, "the window of requests is used up"));
    const auto until = env_->now() + got.deadline + milliseconds{limits::link_serve_grace_ms};
    if (!from.served.emplace(got.request, until).second)
      return; // repeated: it is answered once
    env_->service(
      from.who.node, std::move(asked), got.deadline,
      [self = caf::actor_cast<caf::actor>(this), number,
       request = got.request](peer_answer answer) {
        actors::tell(self, actors::peer_answered{number, request, std::move(answer)});
      });
  }

  void on_answered(const actors::peer_answered& m) {
    const auto at = sessions_.find(m.session);
    if (at == sessions_.end() || at->second.served.erase(m.request) == 0)
      return; // nobody waits for it any more
    auto& to = at->second;
    auto bytes = encode(
      {.protocol = to.protocol, .session = m.session, .request = m.request, .body = m.answer});
    if (bytes.size() > limits::link_frame_bytes_max)
      return reject(m.session, to, m.request,
                    make_error(errc::unknown_outcome, "the answer is too large for a link"));
    send_bytes(to.from, std::move(bytes));
  }

  void reject(std::uint64_t number, const session& to, std::uint64_t request,
              const error& why) {
    send(
      to.from,
      {.protocol = to.protocol, .session = number, .request = request, .body = rejection{why}});
  }

  // -- the end of it --------------------------------------------------------------------------

  using session_map = std::map<std::uint64_t, session>;

  session_map::iterator forget(session_map::iterator at, const char* why) {
    env_->log(severity::info, "the link of " + shown(at->second.who.node) + " is gone: " + why);
    demonitor(at->second.from);
    return sessions_.erase(at);
  }

  /// The first time it is put off behind what has come by now: answers among it are owed.
  void say_goodbye() {
    if (!std::exchange(is_leaving_, true))
      return actors::tell(caf::actor_cast<caf::actor>(this), actors::say_goodbye{});
    for (const auto& [number, one] : sessions_)
      send(one.from, {.protocol = one.protocol,
                      .session = number,
                      .body = goodbye{.last_taken = one.last_taken}});
    quit();
  }

  void send(const caf::actor& to, const envelope& what) { send_bytes(to, encode(what)); }

  void send_bytes(const caf::actor& to, std::string bytes) {
    caf::event_based_actor::send(to, actors::frame{nullptr, std::move(bytes)});
  }

  environment_ptr env_;
  std::map<caf::actor_addr, visitor> visitors_;
  session_map sessions_;
  std::map<std::string, std::string> refused_; ///< why, by node; so that each is logged once
  bool is_leaving_ = false;
  steady_time next_beat_;
  steady_time next_tidy_;
};

} // namespace

caf::actor spawn_door(caf::actor_system& system, environment_ptr env) {
  return system.spawn<door_actor>(std::move(env));
}

} // namespace holdfast::links
