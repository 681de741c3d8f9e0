#include "runtime/node/event_loop.hpp"

#include "messages/thread_name.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <thread>

namespace holdfast::runtime {

namespace asio = boost::asio;

struct event_loop::state {
  explicit state(std::string its_name) : name(std::move(its_name)) {}

  const std::string name;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::thread thread;
};

event_loop::event_loop(std::string name) : state_(std::make_unique<state>(std::move(name))) {}

event_loop::~event_loop() {
  stop();
}

asio::io_context& event_loop::io() noexcept {
  return state_->io;
}

void event_loop::start() {
  state_->thread = std::thread{[this] {
    name_this_thread(state_->name);
    state_->io.run();
  }};
}

void event_loop::stop() {
  state_->io.stop();
  if (state_->thread.joinable())
    state_->thread.join();
}

void event_loop::run_later(milliseconds pause, std::function<void()> run) {
  auto timer = std::make_shared<asio::steady_timer>(state_->io, pause);
  timer->async_wait([timer, run = std::move(run)](boost::system::error_code failure) {
    if (!failure)
      run();
  });
}

} // namespace holdfast::runtime
