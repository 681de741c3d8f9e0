#include "runtime/api/exchange.hpp"

#include "messages/problem.hpp"

namespace holdfast::api {

void exchange::assign(std::string_view route, std::string argument) {
  route_ = route;
  argument_ = std::move(argument);
}

void exchange::send(http::response answer) const {
  answer.headers.emplace_back("x-route", route_);
  respond_(std::move(answer));
}

void exchange::send_json(std::uint16_t status, std::string body) const {
  http::response answer;
  answer.status = status;
  answer.body = std::move(body);
  send(std::move(answer));
}

void exchange::send(api_reply reply, const std::string& preference_applied) const {
  http::response answer;
  answer.status = reply.status;
  answer.content_type = std::move(reply.content_type);
  answer.body = std::move(reply.body);
  if (!reply.location.empty())
    answer.headers.emplace_back("Location", std::move(reply.location));
  if (reply.retry_after_s > 0)
    answer.headers.emplace_back("Retry-After", std::to_string(reply.retry_after_s));
  if (reply.replayed)
    answer.headers.emplace_back("Idempotent-Replayed", "true");
  if (!preference_applied.empty())
    answer.headers.emplace_back("Preference-Applied", preference_applied);
  send(std::move(answer));
}

api_reply exchange::reply_of(const refusal& why) const {
  problem document;
  document.status = why.status;
  document.code = why.code;
  document.detail = why.detail;
  document.instance = request_.path;
  document.request_id = request_.request_id;
  document.param = why.param;
  api_reply reply;
  reply.status = why.status;
  reply.content_type = problem_content_type;
  reply.body = to_json(document);
  return reply;
}

void exchange::refuse(const refusal& why, http::header_list headers) const {
  auto reply = reply_of(why);
  http::response answer;
  answer.status = reply.status;
  answer.content_type = std::move(reply.content_type);
  answer.body = std::move(reply.body);
  answer.headers = std::move(headers);
  send(std::move(answer));
}

void exchange::refuse_absent(std::string_view what) const {
  refuse(refusal{.status = 404,
                 .code = "not_found",
                 .detail = "There is no such " + std::string{what} + ".",
                 .param = {}});
}

void exchange::refuse(const error& failure) const {
  switch (failure.code) {
    case errc::unavailable:
    case errc::unknown_outcome:
    case errc::not_owner:
      return refuse({.status = 503,
                     .code = "storage_unavailable",
                     .detail = "The database can't be reached at the moment; try again.",
                     .param = {}},
                    {{"Retry-After", "1"}});
    case errc::overloaded:
      return refuse({.status = 503,
                     .code = "overloaded",
                     .detail = "More is asked at the moment than can be answered; try again.",
                     .param = {}},
                    {{"Retry-After", "1"}});
    default:
      // What exactly is in the log of whoever made the error; it is not for clients.
      return refuse({.status = 500,
                     .code = "internal_error",
                     .detail = "Something is wrong on our side; quote the request id.",
                     .param = {}});
  }
}

bool assign_or_refuse(const dispatched& target, exchange& call) {
  if (!target.route.empty())
    call.assign(target.route, target.argument);
  if (target.row)
    return true;
  if (target.allow.empty())
    call.refuse(refusal{.status = 404,
                        .code = "not_found",
                        .detail = "Nothing is served at this path.",
                        .param = {}});
  else
    call.refuse({.status = 405,
                 .code = "method_not_allowed",
                 .detail = "This path takes " + target.allow + ".",
                 .param = {}},
                {{"Allow", target.allow}});
  return false;
}

} // namespace holdfast::api
