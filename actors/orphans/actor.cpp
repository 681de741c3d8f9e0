#include "actors/orphans/actor.hpp"

#include "actors/caf.hpp"
#include "actors/orphans/core.hpp"
#include "actors/protocol.hpp"
#include "messages/digest.hpp"
#include "messages/limits.hpp"

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace holdfast::actors {

namespace {

using gateways::listed_authorization;

class orphan_search : public caf::event_based_actor {
public:
  orphan_search(caf::actor_config& cfg, orphan_search_plan plan)
    : caf::event_based_actor(cfg),
      plan_(std::move(plan)) {}

  caf::behavior make_behavior() override {
    pause(plan_.every);
    return {
      [this](orphan_tick) { on_tick(); },
      [this](authorizations_listed& m) { on_listed(m); },
      [this](listed_payments_loaded& m) { on_listed_payments(m); },
      [this](held_payments_loaded& m) { on_held_payments(m); },
    };
  }

  const char* name() const override { return "orphan_search"; }

private:
  /// What is done with one gateway at the moment.
  enum class stage : std::uint8_t { resting, listing, comparing };

  environment& env() const { return *plan_.env; }
  const orphan_search_plan::seat& seat() const { return plan_.gateways[gateway_]; }

  void pause(milliseconds how_long) { tell_self_later(this, how_long, orphan_tick{}); }

  void on_tick() {
    switch (stage_) {
      case stage::resting: return begin_search();
      case stage::listing: return list_page();
      case stage::comparing: return load_held();
    }
  }

  // -- one gateway: its list, page by page
  // --------------------------------------------------------

  void begin_search() {
    if (plan_.gateways.empty())
      return;
    gateway_ = 0;
    begin_gateway();
  }

  void begin_gateway() {
    const auto now = env().now();
    judged_until_ = now - env().rules_of(seat().gateway).settle_time;
    const auto resumed = resume_at_.find(seat().gateway);
    from_ = now - plan_.window;
    if (resumed != resume_at_.end() && resumed->second > from_)
      from_ = resumed->second;
    listed_.clear();
    accused_.clear();
    after_seq_ = 0;
    pages_ = 0;
    stage_ = stage::listing;
    list_page();
  }

  void list_page() {
    const auto ticket = ++ticket_;
    // A weak handle: a call that is under way when the node stops outlives the actor system.
    // The supervisor keeps this actor meanwhile.
    seat().wire->list(
      from_ - clock_slack, after_seq_, limits::orphan_page_rows,
      milliseconds{limits::orphan_list_ms_max},
      [me = address(), ticket](expected<gateways::authorization_page> page) {
        tell(caf::actor_cast<caf::actor>(me), authorizations_listed{ticket, std::move(page)});
      });
  }

  void on_listed(authorizations_listed& message) {
    if (message.ticket != ticket_)
      return;
    if (!message.page)
      return give_up("its list can't be read", message.page.error());
    auto& page = *message.page;
    ++pages_;
    page_.clear();
    last_page_ = !page.has_more || page.rows.empty();
    for (auto& row : page.rows) {
      after_seq_ = row.seq;
      covered_until_ = row.at;
      if (row.at <= judged_until_)
        page_.push_back(row);
      // The young ones are not accused, but they tell that we are right to hold them.
      listed_.insert_or_assign(row.reference, std::move(row));
    }
    // A list that was read to its end has all that the gateway knows, whatever its clock says.
    if (last_page_)
      held_until_ = judged_until_;
    else if (pages_ >= limits::orphan_pages_max) {
      last_page_ = true;
      held_until_ = std::min(judged_until_, covered_until_ - clock_slack);
    }
    load_listed();
  }

  void load_listed() {
    std::vector<payment_id> ids;
    for (const auto& row : page_)
      if (const auto name = orphans::parse_reference(row.reference))
        ids.push_back(name->payment);
    const auto ticket = ++ticket_;
    env().settlement->find_payments(
      std::move(ids),
      [me = caf::actor_cast<caf::actor>(this), ticket](expected<std::vector<payment>> found) {
        tell(me, listed_payments_loaded{ticket, std::move(found)});
      });
  }

  void on_listed_payments(listed_payments_loaded& message) {
    if (message.ticket != ticket_)
      return;
    if (!message.payments)
      return give_up("our payments can't be read", message.payments.error());
    std::map<payment_id, const payment*> ours;
    for (const auto& one : *message.payments)
      ours.emplace(one.id, &one);
    for (const auto& row : page_) {
      const auto name = orphans::parse_reference(row.reference);
      const auto known = name ? ours.find(name->payment) : ours.end();
      const auto* subject = known == ours.end() ? nullptr : known->second;
      if (subject == nullptr || subject->updated_at <= judged_until_)
        accuse(orphans::judge_listed(seat().gateway, row, subject));
    }
    if (!last_page_)
      return pause(page_pause);
    after_payment_ = {};
    stage_ = stage::comparing;
    load_held();
  }

  // -- … and what we hold there
  // -------------------------------------------------------------------

  void load_held() {
    const auto ticket = ++ticket_;
    env().settlement->payments_held_at(
      seat().gateway, from_, held_until_, after_payment_, limits::orphan_page_rows,
      [me = caf::actor_cast<caf::actor>(this), ticket](expected<std::vector<payment>> found) {
        tell(me, held_payments_loaded{ticket, std::move(found)});
      });
  }

  void on_held_payments(held_payments_loaded& message) {
    if (message.ticket != ticket_)
      return;
    if (!message.payments)
      return give_up("our payments can't be read", message.payments.error());
    for (const auto& held : *message.payments) {
      after_payment_ = held.id;
      if (held.updated_at <= judged_until_)
        compare(held);
    }
    if (message.payments->size() == limits::orphan_page_rows)
      return pause(page_pause);
    remember_where();
    next_gateway();
  }

  /// A search that stopped at its limit goes on behind, never at the same place for ever.
  void remember_where() {
    const auto behind = held_until_ - clock_slack;
    if (held_until_ == judged_until_)
      resume_at_.erase(seat().gateway);
    else
      resume_at_[seat().gateway] = behind > from_ ? behind : covered_until_;
  }

  /// Only an attempt within the time that the list covers can be missed in it.
  void compare(const payment& held) {
    const auto* holding = orphans::holding_attempt(held);
    if (holding == nullptr || holding->started_at < from_ || holding->started_at > held_until_)
      return;
    const auto listed = listed_.find(attempt_reference(held.id, holding->number));
    accuse(orphans::judge_held(seat().gateway, held,
                               listed == listed_.end() ? nullptr : &listed->second));
  }

  // -- findings
  // -----------------------------------------------------------------------------------

  void accuse(std::optional<new_exception> found) {
    if (!found || !accused_.insert(found->fingerprint).second)
      return;
    const auto shard = shard_of_finding(*found);
    plan_.raise(shard, {std::move(*found)});
  }

  /// What is nobody's has no shard: any will do, as long as it is always the same.
  shard_number shard_of_finding(const new_exception& found) const {
    const auto count = env().layout.count();
    if (found.payment && found.payment->shard().value < count)
      return found.payment->shard();
    const auto digest = sha256(found.fingerprint);
    return {static_cast<std::uint16_t>((digest[0] << 8 | digest[1]) % count)};
  }

  void give_up(const char* why, const error& failure) {
    env().log(severity::warning, "the search for orphans at " + seat().gateway
                                   + " has stopped: " + why + ": " + failure.detail);
    next_gateway();
  }

  void next_gateway() {
    listed_.clear();
    page_.clear();
    if (++gateway_ < plan_.gateways.size())
      return begin_gateway();
    stage_ = stage::resting;
    pause(plan_.every);
  }

  static constexpr milliseconds clock_slack{limits::orphan_clock_ms_max};
  static constexpr milliseconds page_pause{limits::orphan_page_pause_ms};

  orphan_search_plan plan_;
  stage stage_ = stage::resting;
  std::size_t gateway_ = 0;
  std::uint64_t ticket_ = 0; ///< of the call under way
  timestamp from_;
  timestamp judged_until_;  ///< What is younger may still change by itself.
  timestamp covered_until_; ///< The last row of the list that was read.
  timestamp held_until_;    ///< What we hold since before then must be in the list.
  std::int64_t after_seq_ = 0;
  std::size_t pages_ = 0;
  bool last_page_ = false;
  std::vector<listed_authorization> page_;
  std::map<std::string, listed_authorization> listed_;
  payment_id after_payment_;
  std::set<std::string> accused_; ///< in this search
  /// Where the next search of a gateway goes on, if the last one did not come to the end.
  std::map<std::string, timestamp> resume_at_;
};

} // namespace

caf::actor spawn_orphan_search(caf::actor_system& system, orphan_search_plan plan) {
  return system.spawn<orphan_search>(std::move(plan));
}

} // namespace holdfast::actors
