// The steps on the HTTP thread: the real server on a real socket, the real routes behind it,
// and behind those a store and a front that answer from memory.
#include "actors/api/render.hpp"
#include "messages/assert.hpp"
#include "runtime/api/public_api.hpp"
#include "tests/bench/operation.hpp"
#include "tests/bench/sample.hpp"
#include "tests/unit/api/fakes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

namespace holdfast::bench {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// Keeps the last command until somebody answers it.
class keeping_front final : public api::fake_front {
public:
  void submit(merchant_command given, std::function<void(api_reply)> done) override {
    command = std::move(given);
    answer = std::move(done);
  }

  merchant_command command;
  std::function<void(api_reply)> answer; ///< empty: nothing has come
};

class http_site : public operation {
protected:
  http_site() {
    api_.emplace(store_, front_, keys_, routes_,
                 api::public_options{.now = [] { return api::test_now; }});
    auto made = http::server::listen(
      io_, "127.0.0.1:0", {},
      [this](http::request request, http::responder respond) {
        api_->handle(std::move(request), std::move(respond));
      },
      [](const auto&...) {});
    server_ = std::move(made.value());
    client_.connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    client_.set_option(tcp::no_delay(true));
  }

  void send(std::uint64_t number) {
    const auto text = "POST /v1/payments HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nauthorization: Bearer "
                      + key_ + "\r\nidempotency-key: run-1-1-" + std::to_string(number)
                      + "-0\r\ncontent-type: application/json\r\nprefer: wait=25\r\n"
                        "content-length: "
                      + std::to_string(sample_body.size()) + "\r\n\r\n"
                      + std::string{sample_body};
    asio::write(client_, asio::buffer(text));
  }

  /// Until the front has the command.
  void serve() {
    while (!front_.answer)
      io_.run_one();
  }

  /// Gives the answer; the server has written it, or `poll` makes it.
  void respond(api_reply reply) {
    std::exchange(front_.answer, nullptr)(std::move(reply));
    io_.poll();
  }

  /// Takes the answer from the socket, whole.
  void receive() {
    const auto head = asio::read_until(client_, received_, "\r\n\r\n");
    const auto* bytes = static_cast<const char*>(received_.data().data());
    const std::string_view text{bytes, head};
    HF_ASSERT(text.starts_with("HTTP/1.1 201"));
    const auto body = std::stoul(std::string{text.substr(text.find("Content-Length: ") + 16)});
    if (received_.size() < head + body)
      asio::read(client_, received_, asio::transfer_exactly(head + body - received_.size()));
    received_.consume(head + body);
  }

  keeping_front front_;

private:
  asio::io_context io_{1};
  api::fake_store store_;
  api::key_ring keys_{store_, secret{api::test_pepper}, api::run_at_once, api::one_database};
  api::routing routes_{
    {{.currency = {"EUR"}, .gateways = {"alder", "birch"}, .acquirer = "sandbox"}}};
  std::string key_ = api::add_merchant(store_, keys_, sample_merchant());
  std::optional<api::public_api> api_;
  std::unique_ptr<http::server> server_;
  tcp::socket client_{io_};
  asio::streambuf received_;
};

class parsing final : public http_site {
public:
  void prepare(std::uint64_t number) override {
    if (front_.answer) {
      respond(reply_);
      receive();
    }
    send(number);
  }
  void run() override { serve(); }

private:
  const api_reply reply_ = api::answer_created(approved_sample());
};

class responding final : public http_site {
public:
  void prepare(std::uint64_t number) override {
    if (number > 0)
      receive();
    send(number);
    serve();
  }
  void run() override { respond(api::answer_created(approved_)); }

private:
  const payment approved_ = approved_sample();
};

} // namespace

std::unique_ptr<operation> make_parsing() {
  return std::make_unique<parsing>();
}

std::unique_ptr<operation> make_responding() {
  return std::make_unique<responding>();
}

} // namespace holdfast::bench
