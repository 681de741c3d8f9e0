// The pooled HTTP client against a server that the test plays itself: how far each call got.
#include "runtime/http/client.hpp"
#include "tests/support/echo_server.hpp"
#include "tests/support/http_probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <future>

namespace holdfast::http {

namespace {

using test::echo_server;
using test::ending;
using test::raw_connection;

/// A client on a thread of its own, whose calls are waited for.
class waiting_client {
public:
  explicit waiting_client(client_options options) {
    client_ = std::move(*client::create(background_.io(), std::move(options)));
  }
  ~waiting_client() {
    background_.run([this] { client_.reset(); });
  }

  std::future<call_result> start(call request) {
    auto promise = std::make_shared<std::promise<call_result>>();
    client_->send(std::move(request),
                  [promise](call_result result) { promise->set_value(std::move(result)); });
    return promise->get_future();
  }
  call_result send(call request) { return start(std::move(request)).get(); }
  void destroy() {
    background_.run([this] { client_.reset(); });
  }

private:
  test::background_io background_;
  std::unique_ptr<client> client_;
};

client_options options_for(const std::string& url) {
  client_options options;
  options.base_url = url;
  return options;
}

call a_call(std::string method = "POST", milliseconds timeout = milliseconds{10'000}) {
  call made;
  made.method = std::move(method);
  made.target = "/p";
  made.body = made.method == "GET" ? "" : "body";
  made.timeout = timeout;
  return made;
}

constexpr std::string_view ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

void serve_one(raw_connection& connection, std::string_view answer = ok_answer) {
  connection.read_until("body");
  connection.send(answer);
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_client)

BOOST_AUTO_TEST_CASE(calls_and_reuses_the_connection) {
  echo_server server;
  waiting_client client{options_for(server.url() + "/prefix")};
  for (int i = 0; i < 3; ++i) {
    const auto result = client.send(a_call());
    BOOST_TEST((result.how_far == reach::answered));
    BOOST_TEST(result.status == 200);
    BOOST_TEST(result.body == "POST /prefix/p body");
  }
  BOOST_TEST(server.connections() == 1u);
}

BOOST_AUTO_TEST_CASE(a_refused_connection_is_not_sent) {
  test::raw_listener listener;
  const auto url = listener.url();
  listener.close();
  waiting_client client{options_for(url)};
  BOOST_TEST((client.send(a_call()).how_far == reach::not_sent));
}

BOOST_AUTO_TEST_CASE(a_host_that_does_not_resolve_is_not_sent) {
  waiting_client client{options_for("http://nowhere.invalid:1")};
  BOOST_TEST((client.send(a_call()).how_far == reach::not_sent));
}

BOOST_AUTO_TEST_CASE(a_malformed_call_is_not_sent) {
  echo_server server;
  waiting_client client{options_for(server.url())};
  auto bad_target = a_call();
  bad_target.target = "/a b";
  auto bad_header = a_call();
  bad_header.headers.emplace_back("X-A", "1\r\nX-B: 2");
  BOOST_TEST((client.send(std::move(bad_target)).how_far == reach::not_sent));
  BOOST_TEST((client.send(std::move(bad_header)).how_far == reach::not_sent));
  BOOST_TEST(server.handled() == 0u);
}

BOOST_AUTO_TEST_CASE(a_server_that_closes_after_reading_leaves_the_outcome_unknown) {
  for (const auto how : {ending::orderly, ending::reset}) {
    test::raw_listener listener;
    waiting_client client{options_for(listener.url())};
    auto result = client.start(a_call());
    auto served = listener.accept();
    served.read_until("body");
    how == ending::reset ? served.reset() : served.close();
    BOOST_TEST((result.get().how_far == reach::no_answer));
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_closes_before_reading_leaves_the_outcome_unknown) {
  test::raw_listener listener;
  waiting_client client{options_for(listener.url())};
  auto result = client.start(a_call());
  listener.accept().close();
  // The kernel had taken the request, so nobody can say that it was not read.
  BOOST_TEST((result.get().how_far == reach::no_answer));
}

BOOST_AUTO_TEST_CASE(a_timeout_after_sending_leaves_the_outcome_unknown) {
  test::raw_listener listener;
  waiting_client client{options_for(listener.url())};
  const auto result = client.send(a_call("POST", milliseconds{40}));
  BOOST_TEST((result.how_far == reach::no_answer));
  BOOST_TEST(result.failure == "timeout");
}

BOOST_AUTO_TEST_CASE(an_answer_cut_short_leaves_the_outcome_unknown) {
  for (const std::string_view answer :
       {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    test::raw_listener listener;
    waiting_client client{options_for(listener.url())};
    auto result = client.start(a_call());
    auto served = listener.accept();
    serve_one(served, answer);
    served.close();
    BOOST_TEST((result.get().how_far == reach::no_answer));
  }
}

BOOST_AUTO_TEST_CASE(a_malformed_answer_leaves_the_outcome_unknown) {
  for (const std::string_view answer :
       {"ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    test::raw_listener listener;
    waiting_client client{options_for(listener.url())};
    auto result = client.start(a_call());
    auto served = listener.accept();
    serve_one(served, answer);
    BOOST_TEST((result.get().how_far == reach::no_answer));
  }
}

BOOST_AUTO_TEST_CASE(reads_answers_of_every_honest_shape) {
  struct shape {
    std::string_view answer;
    int status;
    std::string_view body;
  };
  for (const auto& one :
       {shape{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
              201, "x"},
        shape{"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        shape{
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
          200, "abc"},
        shape{"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 502, ""},
        shape{"HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"}}) {
    test::raw_listener listener;
    waiting_client client{options_for(listener.url())};
    auto result = client.start(a_call());
    auto served = listener.accept();
    serve_one(served, one.answer);
    served.close();
    const auto got = result.get();
    BOOST_TEST((got.how_far == reach::answered), got.failure);
    BOOST_TEST(got.status == one.status);
    BOOST_TEST(got.body == one.body);
  }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_too_large_leaves_the_outcome_unknown) {
  test::raw_listener listener;
  auto options = options_for(listener.url());
  options.body_bytes_max = 3;
  waiting_client client{options};
  auto result = client.start(a_call());
  auto served = listener.accept();
  serve_one(served, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
  BOOST_TEST((result.get().how_far == reach::no_answer));
}

BOOST_AUTO_TEST_CASE(a_kept_connection_that_was_closed_is_noticed_before_sending) {
  test::raw_listener listener;
  waiting_client client{options_for(listener.url())};
  auto first = client.start(a_call());
  {
    auto served = listener.accept();
    serve_one(served);
    BOOST_TEST((first.get().how_far == reach::answered));
  }
  auto second = client.start(a_call());
  auto served = listener.accept();
  serve_one(served);
  BOOST_TEST((second.get().how_far == reach::answered));
}

BOOST_AUTO_TEST_CASE(only_a_get_is_repeated_when_a_kept_connection_closes_under_it) {
  for (const std::string method : {"GET", "POST"}) {
    test::raw_listener listener;
    waiting_client client{options_for(listener.url())};
    auto first = client.start(a_call());
    auto kept = listener.accept();
    serve_one(kept);
    BOOST_TEST((first.get().how_far == reach::answered));

    auto second = client.start(a_call(method));
    kept.read_until("\r\n\r\n");
    kept.close();
    if (method == "GET") {
      auto fresh = listener.accept();
      fresh.read_until("\r\n\r\n");
      fresh.send(ok_answer);
      BOOST_TEST((second.get().how_far == reach::answered));
    } else {
      BOOST_TEST((second.get().how_far == reach::no_answer));
    }
  }
}

BOOST_AUTO_TEST_CASE(bytes_after_an_answer_never_become_the_next_one) {
  test::raw_listener listener;
  waiting_client client{options_for(listener.url())};
  auto first = client.start(a_call());
  auto served = listener.accept();
  serve_one(served,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: "
            "4\r\n\r\nevil");
  BOOST_TEST(first.get().body == "ok");
  auto second = client.start(a_call());
  auto fresh = listener.accept();
  serve_one(fresh);
  BOOST_TEST(second.get().body == "ok");
}

BOOST_AUTO_TEST_CASE(calls_wait_for_a_connection_and_run_in_order) {
  test::raw_listener listener;
  auto options = options_for(listener.url());
  options.connections_max = 1;
  options.waiting_max = 2;
  waiting_client client{options};
  auto running = client.start(a_call());
  auto served = listener.accept();
  auto waiting = client.start(a_call());
  auto impatient = client.start(a_call("POST", milliseconds{40}));
  auto excess = client.start(a_call());
  BOOST_TEST((excess.get().how_far == reach::not_sent));
  const auto expired = impatient.get();
  BOOST_TEST((expired.how_far == reach::not_sent));
  serve_one(served);
  BOOST_TEST((running.get().how_far == reach::answered));
  serve_one(served);
  BOOST_TEST((waiting.get().how_far == reach::answered));
}

BOOST_AUTO_TEST_CASE(destroying_it_ends_what_is_under_way) {
  test::raw_listener listener;
  auto options = options_for(listener.url());
  options.connections_max = 1;
  waiting_client client{options};
  auto running = client.start(a_call());
  auto served = listener.accept();
  served.read_until("body");
  auto waiting = client.start(a_call());
  client.destroy();
  BOOST_TEST((running.get().how_far == reach::no_answer));
  BOOST_TEST((waiting.get().how_far == reach::not_sent));
}

BOOST_AUTO_TEST_CASE(fetches_with_one_blocking_call) {
  echo_server server;
  const auto result = fetch(server.url(), a_call("GET"));
  BOOST_REQUIRE(result);
  BOOST_TEST(result->body == "GET /p ");
  BOOST_TEST((fetch("ftp://x", a_call()).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::http
