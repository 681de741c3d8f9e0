// What is on its way to the owner of a shard: a merchant's command, a gateway's notice, an
// operator's order, or a finding. Each knows how it is given to an actor of this node, how it
// is asked of another, and who waits for its answer.
#pragma once

#include "actors/environment.hpp"
#include "actors/link/port.hpp"
#include "actors/protocol.hpp"
#include "runtime/cluster/forwarding.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::cluster {

class errand;
using errand_ptr = std::shared_ptr<errand>;

/// Takes an errand that the shard of this node has handed back. Any thread.
using hand_back = std::function<void(errand_ptr)>;

/// Held by one at a time: whoever gives it on does not look at it again. Dropped, it is
/// answered all the same.
class errand {
public:
  explicit errand(search way) : way_(std::move(way)) {}
  errand(const errand&) = delete;
  errand& operator=(const errand&) = delete;
  virtual ~errand() = default;

  [[nodiscard]] search& way() noexcept { return way_; }
  [[nodiscard]] const search& way() const noexcept { return way_; }

  /// Gives it to the shard's actor, from where it comes to `back` if it isn't served there.
  virtual void give_to(const caf::actor& shard, const hand_back& back, timestamp now) = 0;
  /// What is asked of another node, as often as need be, and how long the answer may take.
  [[nodiscard]] virtual links::peer_request request(timestamp now) const = 0;
  [[nodiscard]] virtual milliseconds deadline(timestamp now) const;
  /// The owner's answer. False: it is none to this.
  [[nodiscard]] virtual bool answer(links::peer_answer given) = 0;
  /// Nobody has the shard, for as long as was to be waited; or there is no room to wait.
  virtual void give_up() = 0;

private:
  search way_;
};

class command_errand final : public errand {
public:
  command_errand(search way, merchant_command command, actors::promise_ptr promise);

  void give_to(const caf::actor& shard, const hand_back& back, timestamp now) override;
  [[nodiscard]] links::peer_request request(timestamp now) const override;
  [[nodiscard]] milliseconds deadline(timestamp now) const override;
  [[nodiscard]] bool answer(links::peer_answer given) override;
  void give_up() override;

private:
  merchant_command command_;
  actors::promise_ptr promise_;
};

class notice_errand final : public errand {
public:
  notice_errand(search way, webhook_notice notice, actors::promise_ptr promise);

  void give_to(const caf::actor& shard, const hand_back& back, timestamp now) override;
  [[nodiscard]] links::peer_request request(timestamp now) const override;
  [[nodiscard]] bool answer(links::peer_answer given) override;
  void give_up() override;

private:
  webhook_notice notice_;
  actors::promise_ptr promise_;
};

/// Answered once, by the shard or by the clock, whichever is first.
class order_errand final : public errand, public std::enable_shared_from_this<order_errand> {
public:
  order_errand(search way, desk_order order, desk_callback done);
  ~order_errand() override;

  void give_to(const caf::actor& shard, const hand_back& back, timestamp now) override;
  [[nodiscard]] links::peer_request request(timestamp now) const override;
  [[nodiscard]] milliseconds deadline(timestamp now) const override;
  [[nodiscard]] bool answer(links::peer_answer given) override;
  void give_up() override;
  /// An actor that is killed with the order never answers it.
  void expire();

private:
  void settle(expected<exception_id> outcome);

  desk_order order_;
  desk_callback done_;
  std::atomic<bool> answered_{false};
};

/// Nobody waits for it: what is lost, the next search finds again.
class finding_errand final : public errand {
public:
  finding_errand(search way, std::vector<new_exception> found, actors::log_function log);

  void give_to(const caf::actor& shard, const hand_back& back, timestamp now) override;
  [[nodiscard]] links::peer_request request(timestamp now) const override;
  [[nodiscard]] bool answer(links::peer_answer given) override;
  void give_up() override;

private:
  std::vector<new_exception> found_;
  actors::log_function log_;
};

} // namespace holdfast::cluster
