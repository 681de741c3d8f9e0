#include "actors/lean_actor.hpp"

#include "messages/assert.hpp"

#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <exception>
#include <utility>

namespace holdfast::actors {

namespace {

caf::mailbox_element* after(caf::mailbox_element* message) {
  return static_cast<caf::mailbox_element*>(message->next);
}

void drop_all(caf::mailbox_element* first) {
  while (first != nullptr)
    delete std::exchange(first, after(first));
}

/// The latest came first.
caf::mailbox_element* in_order(caf::mailbox_element* latest) {
  caf::mailbox_element* first = nullptr;
  while (latest != nullptr) {
    auto* message = std::exchange(latest, after(latest));
    message->next = std::exchange(first, message);
  }
  return first;
}

} // namespace

lean_actor::~lean_actor() {
  drop_all(fetched_);
}

bool lean_actor::enqueue(caf::mailbox_element_ptr message, caf::execution_unit* host) {
  HF_ASSERT(!message->mid.is_request());
  switch (inbox_.push_front(std::move(message))) {
    case caf::intrusive::inbox_result::success: return true;
    case caf::intrusive::inbox_result::queue_closed: return false;
    case caf::intrusive::inbox_result::unblocked_reader: break;
  }
  caf::intrusive_ptr_add_ref(ctrl()); // The scheduler's.
  if (host != nullptr)
    host->exec_later(this);
  else
    home_system().scheduler().enqueue(this);
  return true;
}

void lean_actor::launch(caf::execution_unit* host, bool lazy, bool hide) {
  if (!hide)
    register_at_system();
  if (lazy && inbox_.try_block())
    return;
  caf::intrusive_ptr_add_ref(ctrl());
  host->exec_later(this);
}

caf::resumable::resume_result lean_actor::resume(caf::execution_unit* host,
                                                 std::size_t messages_max) {
  context(host);
  if (!std::exchange(began_, true))
    guarded(&lean_actor::start);
  for (std::size_t handled = 0; !quits_ && handled < messages_max; ++handled) {
    const auto message = next_message();
    // From the moment that the inbox is blocked another thread may run this actor.
    if (!message)
      return awaiting_message;
    guarded(&lean_actor::take_up, message.get());
  }
  if (!quits_)
    return resume_later;
  end();
  return done;
}

/// Null: there is none, and whoever sends the next one wakes this actor.
caf::mailbox_element_ptr lean_actor::next_message() {
  while (fetched_ == nullptr) {
    if (inbox_.try_block())
      return nullptr;
    fetched_ = in_order(inbox_.take_head());
  }
  return caf::mailbox_element_ptr{std::exchange(fetched_, after(fetched_))};
}

void lean_actor::take_up(caf::mailbox_element* message) {
  if (auto exit = caf::make_typed_message_view<caf::exit_msg>(message->payload)) {
    if (auto& reason = caf::get<0>(exit).reason)
      quit(std::move(reason));
    return;
  }
  handle(message->payload);
}

void lean_actor::guarded(void (lean_actor::*step)(caf::mailbox_element*),
                         caf::mailbox_element* message) {
  try {
    (this->*step)(message);
  } catch (const std::exception& thrown) {
    quit(caf::make_error(caf::sec::runtime_error, thrown.what()));
  } catch (...) {
    quit(caf::sec::runtime_error);
  }
}

void lean_actor::quit(caf::error reason) {
  if (!std::exchange(quits_, true))
    reason_ = std::move(reason);
}

void lean_actor::end() {
  on_exit();
  inbox_.close();
  drop_all(std::exchange(fetched_, nullptr));
  cleanup(std::move(reason_), context());
}

} // namespace holdfast::actors
