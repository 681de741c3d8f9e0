#include "runtime/sandbox/webhooks.hpp"

#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "messages/webhook_signature.hpp"
#include "runtime/sandbox/request_body.hpp"
#include "runtime/sandbox/routes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <optional>

namespace holdfast::sandbox {

namespace {

constexpr auto id_bytes_max = limits::webhook_id_bytes_max;
constexpr std::size_t url_bytes_max = 255;
constexpr milliseconds answer_timeout{limits::sandbox_latency_ms_max};

struct dispute_part {
  std::string id;
  std::string reason;
  std::int64_t fee = 0;
};

} // namespace

struct webhook_order {
  std::string gateway;
  std::string url;
  secret key;
  std::string id;
  std::string type;
  std::string reference;
  std::string gateway_reference;
  std::optional<std::int64_t> amount;
  std::string currency;
  std::optional<dispute_part> dispute;
  std::size_t copies = 1;
  milliseconds delay{0};
  std::chrono::seconds age{0}; ///< of the signed time; negative: it lies ahead
  bool forged = false;
};

namespace {

expected<webhook_order> read_order(const http::request& asked) {
  auto body = request_body::parse(asked.body);
  if (!body)
    return body.error();
  webhook_order order;
  order.gateway = body->plain_name("gateway");
  order.url = body->text("url", url_bytes_max);
  order.key = secret{body->text("secret", id_bytes_max)};
  order.id = body->text_or("id", "", id_bytes_max);
  order.type = body->text("type", 64);
  order.reference = body->text("reference", id_bytes_max);
  order.gateway_reference = body->text_or("gateway_reference", "", id_bytes_max);
  if (body->has("amount"))
    order.amount = body->amount();
  if (body->has("currency"))
    order.currency = body->currency();
  const auto copies_max = static_cast<std::int64_t>(limits::sandbox_webhook_copies_max);
  order.copies = static_cast<std::size_t>(body->number_or("copies", 1, 1, copies_max));
  order.delay = milliseconds{body->number_or("delay_ms", 0, 0, limits::sandbox_latency_ms_max)};
  constexpr std::int64_t year_s = 366LL * 24 * 3600;
  order.age = std::chrono::seconds{body->number_or("age_s", 0, -year_s, year_s)};
  order.forged = body->flag("forged");
  // Last, for from there on the getters read the inner object.
  if (body->has("dispute") && body->enter("dispute"))
    order.dispute =
      dispute_part{std::string{body->text("id", id_bytes_max)},
                   std::string{body->text_or("reason", "", limits::reason_bytes_max)},
                   body->number_or("fee", 0, 0, limits::amount_minor_max)};
  if (!body->wrong_member().empty())
    return make_error(errc::invalid_argument,
                      "`" + body->wrong_member() + "` is missing or wrong");
  return order;
}

std::string body_of(const webhook_order& order, timestamp signed_at) {
  json_writer json;
  json.begin_object()
    .member("id", order.id)
    .member("type", order.type)
    .member("created_at", to_rfc3339(signed_at));
  json.key("data").begin_object().member("reference", order.reference);
  if (!order.gateway_reference.empty())
    json.member("gateway_reference", order.gateway_reference);
  if (order.amount)
    json.member("amount", *order.amount);
  if (!order.currency.empty())
    json.member("currency", order.currency);
  if (order.dispute) {
    json.key("dispute").begin_object().member("id", order.dispute->id);
    if (!order.dispute->reason.empty())
      json.member("reason", order.dispute->reason);
    json.member("fee", order.dispute->fee).end_object();
  }
  return json.end_object().end_object().take();
}

} // namespace

/// One order on its way, with the answers so far.
struct webhook_sender::round {
  webhook_order order;
  http::responder answer;
  std::map<std::string, std::size_t> answers; ///< by status; "none" for no answer
  std::size_t left = 0;

  void count(const http::call_result& result) {
    const bool answered = result.how_far == http::reach::answered;
    ++answers[answered ? std::to_string(result.status) : std::string{"none"}];
    if (--left == 0)
      conclude();
  }

  void conclude() const {
    json_writer json;
    json.begin_object().member("id", order.id).key("answers").begin_object();
    for (const auto& [status, times] : answers)
      json.member(status, times);
    json.end_object().end_object();
    answer(json_answer(200, json.take()));
  }
};

webhook_sender::webhook_sender(boost::asio::io_context& io)
  : io_(io),
    random_(std::random_device{}()),
    alive_(std::make_shared<webhook_sender*>(this)) {}

webhook_sender::~webhook_sender() {
  *alive_ = nullptr;
}

void webhook_sender::handle(const http::request& asked, http::responder answer) {
  auto order = read_order(asked);
  if (!order)
    return answer(problem_of(order.error(), asked));
  if (order->id.empty())
    order->id = "whk_" + std::to_string(random_());
  if (auto wire = client_of(order->url); !wire)
    return answer(problem_of(wire.error(), asked));
  auto sent = std::make_shared<round>();
  sent->order = std::move(*order);
  sent->answer = std::move(answer);
  sent->left = sent->order.copies;
  const auto delay = sent->order.delay;
  if (delay.count() > 0)
    send_later(std::move(sent), delay);
  else
    send(sent);
}

void webhook_sender::send_later(std::shared_ptr<round> sent, milliseconds delay) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, delay);
  timer->async_wait(
    [timer, sent = std::move(sent), alive = alive_](const boost::system::error_code& aborted) {
      if (!aborted && *alive != nullptr)
        (*alive)->send(sent);
    });
}

/// All copies at once, and so in any order.
void webhook_sender::send(const std::shared_ptr<round>& sent) {
  const auto& order = sent->order;
  const auto signed_at = wall_clock_now() - order.age;
  const auto body = body_of(order, signed_at);
  const secret key = order.forged ? secret{"not the gateway's secret"} : order.key;
  auto wire = client_of(order.url);
  for (std::size_t copy = 0; copy < order.copies; ++copy) {
    http::call request;
    request.target = "/webhooks/" + order.gateway;
    request.headers = {{"Content-Type", "application/json"},
                       {"Webhook-Signature", sign_webhook(body, key, signed_at)}};
    request.body = body;
    request.timeout = answer_timeout;
    if (wire)
      (*wire)->send(std::move(request),
                    [sent](const http::call_result& result) { sent->count(result); });
    else
      sent->count({});
  }
}

expected<http::client*> webhook_sender::client_of(const std::string& url) {
  const auto known = clients_.find(url);
  if (known != clients_.end())
    return known->second.get();
  if (clients_.size() >= limits::sandbox_webhook_urls_max)
    return make_error(errc::overloaded, "webhooks go to too many different URLs");
  http::client_options options;
  options.base_url = url;
  auto made = http::client::create(io_, std::move(options));
  if (!made)
    return made.error();
  return clients_.emplace(url, std::move(*made)).first->second.get();
}

} // namespace holdfast::sandbox
