#include "actors/link/actor.hpp"

#include "actors/caf.hpp"
#include "actors/link/handshake.hpp"
#include "actors/link/mark_changes.hpp"
#include "actors/link/request_table.hpp"
#include "actors/protocol.hpp"
#include "messages/limits.hpp"
#include "messages/printable.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/type_id.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace holdfast::links {

namespace {

using actors::severity;
using std::chrono::duration_cast;

/// Of the other end's words, what may stand in a line of the log.
std::string shown(std::string_view text) {
  return printable(text, limits::link_text_bytes_max);
}

class link_actor : public caf::event_based_actor {
public:
  link_actor(caf::actor_config& cfg, environment_ptr env, link_address address,
             link_board_ptr board)
    : caf::event_based_actor(cfg),
      env_(std::move(env)),
      address_(std::move(address)),
      board_(std::move(board)) {
    set_down_handler([this](caf::down_msg& down) { on_down(down); });
  }

  caf::behavior make_behavior() override {
    down_since_ = env_->now();
    look();
    return {
      [this](const actors::frame& m) { on_frame(m.bytes); },
      [this](actors::ask_peer& m) { on_ask(m); },
      [this](const actors::address_probed& m) { on_probed(m); },
      [this](actors::connect_now) { next_try_ = env_->now(); },
      [this](actors::yield_to_younger) { on_yield(); },
      [this](actors::link_tick) { look(); },
      [this](actors::say_goodbye) { on_goodbye_order(); },
    };
  }

  const char* name() const override { return "link"; }

  void on_exit() override {
    break_requests("this node stops");
    door_ = nullptr;
    env_->roll->remove(address_.text);
  }

private:
  enum class phase : std::uint8_t { resting, probing, dialing, greeting, up };

  // -- time -----------------------------------------------------------------------------------

  void look() {
    const auto now = env_->now();
    switch (phase_) {
      case phase::resting:
        if (now >= next_try_ && !is_given_up(now))
          begin_probe();
        break;
      case phase::probing:
      case phase::dialing:
      case phase::greeting:
        if (now >= step_until_)
          on_silence("no answer in time");
        break;
      case phase::up: look_after_link(now); break;
    }
    // Deadlines need a close look, heartbeats don't.
    const auto pause = phase_ == phase::up && requests_.size() == 0 ? 4 * limits::link_tick_ms
                                                                    : limits::link_tick_ms;
    actors::tell_self_later(this, milliseconds{pause}, actors::link_tick{});
  }

  void look_after_link(steady_time now) {
    for (const auto& promise : requests_.take_overdue(now))
      promise->give_up("no answer in time from " + peer_);
    if (now < next_ping_)
      return;
    if (unanswered_ >= limits::link_heartbeats_missed_max)
      return on_silence("no answer to heartbeats any more");
    ++unanswered_;
    next_ping_ = now + milliseconds{limits::link_heartbeat_ms};
    ping_sent_ = now;
    send({.session = session_, .body = ping{++ping_number_, told_.take(*env_->marks)}});
  }

  void on_silence(const std::string& why) {
    // CAF would go on to write into a connection that nobody reads from.
    if (door_)
      env_->drop(io_node_);
    fail(why);
  }

  void set_step(phase step, std::int64_t allowed_ms) {
    phase_ = step;
    step_until_ = env_->now() + milliseconds{allowed_ms};
  }

  /// A node that is not spoken of any more, and not there either.
  bool is_given_up(steady_time now) {
    if (now - down_since_ < milliseconds{limits::link_spare_ms}
        || env_->roll->is_kept(address_.text))
      return false;
    quit();
    return true;
  }

  // -- connecting -----------------------------------------------------------------------------

  /// CAF connects on one thread for all, and can't be told to stop; so it is asked only when
  /// there is somebody who answers. And it doesn't say why TLS has failed.
  void begin_probe() {
    ++attempt_;
    set_step(phase::probing, 2 * limits::link_probe_ms_max);
    found_ = std::make_shared<caf::node_id>();
    env_->probe(address_.host, address_.port,
                [self = caf::actor_cast<caf::actor>(this), attempt = attempt_,
                 found = found_](expected<caf::node_id> result) {
                  actors::address_probed told{attempt, {}};
                  if (result)
                    *found = std::move(*result);
                  else
                    told.result = result.error();
                  actors::tell(self, std::move(told));
                });
  }

  void on_probed(const actors::address_probed& m) {
    if (phase_ != phase::probing || m.attempt != attempt_)
      return;
    if (!m.result)
      return fail(m.result.error().detail);
    if (*found_ == system().node())
      return set_aside();
    if (lets_the_other_begin())
      return;
    dial();
  }

  /// Two that connect to each other at the same moment may lose both connections. So the one
  /// with the greater name waits a little for the other, who may not know of it.
  bool lets_the_other_begin() {
    if (std::exchange(has_waited_, false) || system().node() < *found_
        || env_->is_connected(*found_))
      return false;
    has_waited_ = true;
    phase_ = phase::resting;
    next_try_ = env_->now() + milliseconds{courtesy_ms_};
    courtesy_ms_ = std::min(2 * courtesy_ms_, limits::link_dial_ms_max);
    return true;
  }

  void dial() {
    set_step(phase::dialing, limits::link_dial_ms_max);
    // Longer than we wait: what comes of it later concerns nobody.
    request(env_->middleman, milliseconds{2 * limits::link_dial_ms_max}, caf::connect_atom_v,
            address_.host, address_.port)
      .then(
        [this, attempt = attempt_](const caf::node_id& node, caf::strong_actor_ptr& door,
                                   const std::set<std::string>&) {
          if (phase_ == phase::dialing && attempt == attempt_)
            on_dialed(node, std::move(door));
        },
        [this, attempt = attempt_](const caf::error&) {
          if (phase_ == phase::dialing && attempt == attempt_)
            fail("the connection ended before it was made");
        });
  }

  void on_dialed(const caf::node_id& node, caf::strong_actor_ptr door) {
    if (!door)
      return fail("no node listens there, something else does");
    if (node == system().node())
      return set_aside();
    io_node_ = node;
    door_ = caf::actor_cast<caf::actor>(std::move(door));
    monitor(door_);
    set_step(phase::greeting, limits::link_handshake_ms_max);
    caller_.emplace(introduce(*env_), env_->keys.get());
    send({.request = attempt_, .body = caller_->begin()});
  }

  void on_challenge(const challenge& from) {
    if (is_ourselves(caller_->ours(), from.who))
      return set_aside();
    const auto reply = caller_->answer(from);
    if (const auto* why = std::get_if<refusal>(&reply)) {
      send({.request = attempt_, .body = *why});
      return fail(why->detail);
    }
    if (to_string(io_node_) != from.who.io_node)
      return fail("nonsense: it says that it is another process");
    switch (env_->roll->claim(address_.text, from.who)) {
      case claim_verdict::granted: break;
      case claim_verdict::taken: return set_aside();
      case claim_verdict::outdated:
        return fail("superseded: a younger process runs as \"" + from.who.node + '"');
    }
    send({.request = attempt_, .body = std::get<proof>(reply)});
  }

  void on_welcome(const welcome& from) {
    if (!caller_->has_proved())
      return fail("nonsense: a welcome before the proof");
    const auto& who = caller_->peer();
    peer_ = who.node;
    protocol_ = common_protocol(caller_->ours(), who);
    session_ = from.session;
    requests_.open(std::min(from.window, limits::link_window_requests));
    told_ = {};
    unanswered_ = 0;
    next_ping_ = env_->now();
    phase_ = phase::up;
    retry_ms_ = limits::link_retry_ms_min;
    courtesy_ms_ = limits::link_heartbeat_ms;
    last_trouble_.clear();
    board_->update([&](link_status& status) {
      status.node = peer_;
      status.up = true;
      status.trouble.clear();
      status.since = wall_clock_now();
    });
    env_->roll->came_up(address_.text);
    env_->log(severity::info, "linked to " + shown(peer_) + " at " + address_.text);
    if (!who.advertise.empty())
      env_->met(who.advertise);
    look_after_link(env_->now());
  }

  // -- what comes -----------------------------------------------------------------------------

  void on_frame(const std::string& bytes) {
    auto got = decode_envelope(bytes);
    if (!got)
      return on_unreadable(bytes, got.error());
    board_->update([](link_status& status) { ++status.received; });
    if (phase_ == phase::greeting && got->session == 0 && got->request == attempt_)
      return on_greeting(*got);
    if (phase_ != phase::up || got->session != session_)
      return; // of a session that is over
    unanswered_ = 0;
    if (auto* answer = std::get_if<peer_answer>(&got->body)) {
      if (const auto promise = requests_.take(got->request))
        promise->deliver(answered(std::move(*answer)));
    } else if (const auto* refused = std::get_if<rejection>(&got->body)) {
      on_rejection(got->request, refused->why);
    } else if (const auto* beat = std::get_if<pong>(&got->body)) {
      on_pong(*beat);
    } else if (const auto* parting = std::get_if<goodbye>(&got->body)) {
      on_goodbye(*parting);
    }
  }

  void on_greeting(const envelope& got) {
    if (const auto* asked = std::get_if<challenge>(&got.body))
      on_challenge(*asked);
    else if (const auto* accepted = std::get_if<welcome>(&got.body))
      on_welcome(*accepted);
    else if (const auto* refused = std::get_if<refusal>(&got.body))
      fail(refused->detail);
  }

  void on_unreadable(const std::string& bytes, const error& why) {
    if (phase_ == phase::greeting)
      return fail("nonsense: " + why.detail);
    const auto head = decode_head(bytes);
    if (!head || head->session != session_)
      return;
    if (const auto promise = requests_.take(head->request))
      promise->deliver(not_answered(make_error(errc::unknown_outcome, why.detail)));
  }

  void on_rejection(std::uint64_t number, const error& why) {
    const auto promise = requests_.take(number);
    if (!promise)
      return;
    const bool is_nothing_done = why.code == errc::overloaded || why.code == errc::unavailable
                                 || why.code == errc::invalid_argument;
    promise->deliver(
      not_answered(make_error(is_nothing_done ? why.code : errc::unknown_outcome, why.detail)));
  }

  void on_pong(const pong& beat) {
    for (const auto& mark : beat.marks)
      if (mark.shard.value < env_->marks->shards()) {
        env_->marks->note(mark.shard, mark.reached);
        told_.heard(mark);
      }
    if (beat.number == ping_number_)
      board_->update([took = env_->now() - ping_sent_](link_status& status) {
        status.round_trip_us = duration_cast<std::chrono::microseconds>(took).count();
      });
  }

  /// What it never looked at may be asked of another at once, and leaves nobody in doubt.
  void on_goodbye(const goodbye& parting) {
    if (parting.last_taken)
      for (const auto& promise : requests_.take_after(*parting.last_taken))
        promise->deliver(
          not_answered(make_error(errc::unavailable, peer_ + " stopped before it looked")));
    fail("it has stopped");
  }

  void on_down(const caf::down_msg& down) {
    if (door_ && down.source == door_.address())
      fail("the connection has ended");
  }

  // -- what is asked --------------------------------------------------------------------------

  void on_ask(actors::ask_peer& m) {
    const auto left = duration_cast<milliseconds>(m.until - env_->now());
    if (phase_ != phase::up || left.count() <= 0)
      return m.promise->give_up("there is no link to it");
    const auto bytes = encode({.protocol = protocol_,
                               .session = session_,
                               .request = requests_.next(),
                               .deadline = left,
                               .body = std::move(m.what)});
    if (bytes.size() > limits::link_frame_bytes_max)
      return m.promise->deliver(
        not_answered(make_error(errc::overloaded, "the request is too large for a link")));
    if (!requests_.has_room(bytes.size()))
      return m.promise->deliver(
        not_answered(make_error(errc::overloaded, peer_ + " has its hands full")));
    requests_.add(std::move(m.promise), bytes.size(), m.until);
    send_bytes(bytes);
  }

  // -- the end of it --------------------------------------------------------------------------

  /// The link, or the attempt at one, has come to nothing. Tried again after a pause.
  void fail(const std::string& why) {
    const auto trouble = shown(why);
    if (trouble != last_trouble_)
      env_->log(severity::warning, "no link to " + address_.text
                                     + (peer_.empty() ? "" : " (" + shown(peer_) + ")") + ": "
                                     + trouble);
    last_trouble_ = trouble;
    const auto now = env_->now();
    if (phase_ == phase::up)
      down_since_ = now;
    rest(now + jittered(retry_ms_), trouble);
    retry_ms_ = std::min(2 * retry_ms_, limits::link_retry_ms_max);
    env_->roll->came_down(address_.text);
  }

  /// The address leads to where another link leads, or to ourselves.
  void set_aside() {
    rest(env_->now() + milliseconds{limits::link_spare_ms}, {});
    env_->roll->set_aside(address_.text);
  }

  void rest(steady_time until, const std::string& trouble) {
    const bool was_up = std::exchange(phase_, phase::resting) == phase::up;
    next_try_ = until;
    if (door_)
      demonitor(door_);
    door_ = nullptr;
    caller_.reset();
    session_ = 0;
    board_->update([&](link_status& status) {
      if (was_up || status.since == timestamp{})
        status.since = wall_clock_now();
      status.up = false;
      status.trouble = trouble;
    });
    break_requests("the link to " + peer_ + " broke: " + trouble);
  }

  void on_yield() {
    env_->drop(io_node_);
    set_aside();
  }

  void on_goodbye_order() {
    if (phase_ == phase::up)
      send({.session = session_, .body = goodbye{}});
    quit();
  }

  void break_requests(const std::string& why) {
    for (const auto& promise : requests_.take_all())
      promise->give_up(why);
  }

  // -- small things ---------------------------------------------------------------------------

  milliseconds jittered(std::int64_t pause_ms) const {
    const auto half = pause_ms / 2;
    return milliseconds{half + static_cast<std::int64_t>(env_->random() % (half + 1))};
  }

  void send(envelope what) {
    what.protocol = protocol_;
    send_bytes(encode(what));
  }

  void send_bytes(std::string bytes) {
    board_->update([](link_status& status) { ++status.sent; });
    // The first ones say where the answers go; later the other end knows.
    auto from = phase_ == phase::up ? nullptr : caf::actor_cast<caf::strong_actor_ptr>(this);
    caf::event_based_actor::send(door_, actors::frame{std::move(from), std::move(bytes)});
  }

  environment_ptr env_;
  link_address address_;
  link_board_ptr board_;
  phase phase_ = phase::resting;

  // Connecting.
  std::uint64_t attempt_ = 0;
  std::int64_t retry_ms_ = limits::link_retry_ms_min;
  std::int64_t courtesy_ms_ = limits::link_heartbeat_ms;
  bool has_waited_ = false;                   ///< for the other end to connect
  std::shared_ptr<caf::node_id> found_;       ///< by the probe, written before it answers
  steady_time next_try_ = steady_time::max(); ///< first when it is told
  steady_time step_until_;
  steady_time down_since_;
  std::string last_trouble_; ///< so that each is logged once
  std::optional<caller> caller_;
  caf::node_id io_node_;
  caf::actor door_;

  // Once it is up.
  std::string peer_;
  std::uint32_t protocol_ = protocol_max;
  std::uint64_t session_ = 0;
  request_table requests_;
  mark_changes told_;
  std::uint64_t ping_number_ = 0;
  std::int64_t unanswered_ = 0; ///< heartbeats since anything was heard
  steady_time ping_sent_;
  steady_time next_ping_;
};

} // namespace

introduction introduce(const environment& env) {
  auto who = env.self();
  who.nonce.clear();
  while (who.nonce.size() < limits::link_nonce_bytes) {
    const auto random = env.random();
    who.nonce.append(reinterpret_cast<const char*>(&random), sizeof random);
  }
  who.nonce.resize(limits::link_nonce_bytes);
  return who;
}

caf::actor spawn_link(caf::actor_system& system, environment_ptr env, link_address address,
                      link_board_ptr board) {
  return system.spawn<link_actor>(std::move(env), std::move(address), std::move(board));
}

} // namespace holdfast::links
