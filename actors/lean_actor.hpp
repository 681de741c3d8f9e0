// An actor without what most actors have. CAF's event-based actor takes 1,160 bytes before it
// holds anything: queues for streams, handlers for every kind of system message, tables of
// open requests. Of payments there are a hundred thousand, and they need none of that.
#pragma once

#include "actors/caf.hpp"

#include <caf/actor_traits.hpp>
#include <caf/behavior.hpp>
#include <caf/intrusive/lifo_inbox.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>
#include <caf/typed_message_view.hpp>

#include <cstdint>

namespace holdfast::actors {

/// Runs on the scheduler as any other, is spawned, sent to, monitored and killed as any other,
/// and handles one message after the other, in the order in which they came. It has no timers
/// and makes no requests, nor can it be asked by one: whoever sends to it expects no response.
/// An exception in a handler is its end, with a reason.
class lean_actor : public caf::local_actor,
                   public caf::resumable,
                   public caf::dynamically_typed_actor_base,
                   public caf::non_blocking_actor_base {
public:
  using signatures = caf::none_t;
  using behavior_type = caf::behavior;

  explicit lean_actor(caf::actor_config& cfg) : caf::local_actor(cfg) {}
  ~lean_actor() override;

  using caf::local_actor::enqueue;
  bool enqueue(caf::mailbox_element_ptr message, caf::execution_unit* host) override;
  void launch(caf::execution_unit* host, bool lazy, bool hide) override;

  subtype_t subtype() const override { return caf::resumable::scheduled_actor; }
  resume_result resume(caf::execution_unit* host, std::size_t messages_max) override;
  void intrusive_ptr_add_ref_impl() override { caf::intrusive_ptr_add_ref(ctrl()); }
  void intrusive_ptr_release_impl() override { caf::intrusive_ptr_release(ctrl()); }

  /// The message under way is the last one.
  void quit(caf::error reason = {});

protected:
  /// Runs before the first message.
  virtual void begin() = 0;
  virtual void handle(caf::message& what) = 0;
  /// For on_exit(): why it ends. None: all is well.
  [[nodiscard]] const caf::error& reason() const noexcept { return reason_; }

private:
  struct inbox_policy {
    using mapped_type = caf::mailbox_element;
    using unique_pointer = caf::mailbox_element_ptr;
  };

  void guarded(void (lean_actor::*step)(caf::mailbox_element*),
               caf::mailbox_element* message = nullptr);
  void start(caf::mailbox_element*) { begin(); }
  void take_up(caf::mailbox_element* message);
  [[nodiscard]] caf::mailbox_element_ptr next_message();
  void end();

  caf::intrusive::lifo_inbox<inbox_policy> inbox_;
  caf::mailbox_element* fetched_ = nullptr; ///< taken out of the inbox, the next one first
  bool began_ = false;
  bool quits_ = false;
  caf::error reason_;
};

/// Gives the message to the one of `self.on(Messages&)` that it is for; others are dropped.
template <class... Messages, class Actor>
void give_to(Actor& self, caf::message& what) {
  const auto give = [&]<class Message>(std::type_identity<Message>) {
    auto view = caf::make_typed_message_view<Message>(what);
    if (view)
      self.on(caf::get<0>(view));
    return static_cast<bool>(view);
  };
  static_cast<void>((give(std::type_identity<Messages>{}) || ...));
}

} // namespace holdfast::actors
