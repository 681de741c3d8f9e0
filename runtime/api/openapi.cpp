#include "runtime/api/openapi.hpp"

#include "messages/json_writer.hpp"
#include "messages/problem.hpp"
#include "runtime/version.hpp"

#include <algorithm>
#include <vector>

namespace holdfast::api {

namespace {

constexpr std::string_view description =
  "Authorize, capture, void and refund card payments. Amounts are integers in the minor unit of "
  "their currency, times are RFC 3339 in UTC. Every POST needs an Idempotency-Key and can be "
  "repeated safely with it. Whatever is refused is answered with a problem document (RFC 9457).";

std::string reference_to(std::string_view kind, std::string_view name) {
  return "#/components/" + std::string{kind} + "/" + std::string{name};
}

void write_reference(json_writer& json, std::string_view kind, std::string_view name) {
  json.begin_object().member("$ref", reference_to(kind, name)).end_object();
}

void write_content(json_writer& json, std::string_view media_type, std::string_view schema) {
  json.key("content").begin_object().key(media_type).begin_object().key("schema");
  write_reference(json, "schemas", schema);
  json.end_object().end_object();
}

std::string_view describe(std::uint16_t status) {
  switch (status) {
    case 200: return "As asked.";
    case 201: return "Done: authorized, captured or refunded as asked.";
    case 202: return "Under way: the outcome is not known yet. Ask again at Location.";
    case 400: return "A field, parameter or header is wrong, or the body is not strict JSON.";
    case 401: return "No API key, or one that is not known.";
    case 402: return "Declined by the issuer or refused by the gateway.";
    case 404: return "There is no such object, or it is another merchant's.";
    case 409:
      return "Not allowed in the payment's present state, or the first request with this "
             "key is still running.";
    case 413: return "The body is too large.";
    case 415: return "The body is not application/json.";
    case 422:
      return "More than what is left, no route for the payment, or the key was used for "
             "another request.";
    case 429: return "Too many requests of this merchant.";
    case 503: return "Overloaded, or the shard or the database is moving. Nothing was done.";
    default: return "Something is wrong on our side.";
  }
}

/// A merchant's POST, which its Idempotency-Key makes safe to repeat.
bool takes_key(const route_row& row) {
  return row.method == "POST" && row.needs == access::merchant;
}

bool is_success(std::uint16_t status) {
  return status < 300;
}

void write_header_reference(json_writer& json, std::string_view name) {
  json.key(name);
  write_reference(json, "headers", name);
}

void write_response_headers(json_writer& json, const route_row& row, std::uint16_t status) {
  json.key("headers").begin_object();
  write_header_reference(json, "Request-Id");
  if (takes_key(row) && (is_success(status) || status == 402)) {
    write_header_reference(json, "Idempotent-Replayed");
    write_header_reference(json, "Preference-Applied");
  }
  if (status == 201 || status == 202)
    write_header_reference(json, "Location");
  if (status == 401)
    write_header_reference(json, "WWW-Authenticate");
  if (status == 409 || status == 429 || status == 503)
    write_header_reference(json, "Retry-After");
  json.end_object();
}

void write_responses(json_writer& json, const route_row& row) {
  json.key("responses").begin_object();
  for (const auto status : row.statuses) {
    json.key(std::to_string(status)).begin_object().member("description", describe(status));
    write_response_headers(json, row, status);
    if (is_success(status))
      write_content(json, "application/json", row.answer);
    else
      write_content(json, problem_content_type, "problem");
    json.end_object();
  }
  json.end_object();
}

void write_parameters(json_writer& json, const route_row& row) {
  std::vector<std::string_view> names{row.query.begin(), row.query.end()};
  if (const auto open = row.path.find('{'); open != std::string_view::npos)
    names.insert(names.begin(), row.path.substr(open + 1, row.path.find('}') - open - 1));
  if (takes_key(row))
    names.insert(names.end(), {"Idempotency-Key", "Prefer", "traceparent"});
  if (row.needs == access::gateway)
    names.emplace_back("Webhook-Signature");
  if (names.empty())
    return;
  json.key("parameters").begin_array();
  for (const auto name : names)
    write_reference(json, "parameters", name);
  json.end_array();
}

/// What changes a payment can do without a body: it then means all that is left.
bool needs_body(std::string_view schema) {
  return schema == "create_payment" || schema == "note_evidence" || schema == "webhook";
}

void write_operation(json_writer& json, const route_row& row) {
  json.begin_object().member("operationId", row.name).member("summary", row.summary);
  if (row.needs != access::merchant)
    json.key("security").begin_array().end_array();
  write_parameters(json, row);
  if (!row.body.empty()) {
    json.key("requestBody").begin_object().member("required", needs_body(row.body));
    write_content(json, "application/json", row.body);
    json.end_object();
  }
  write_responses(json, row);
  json.end_object();
}

/// Rows of the same path follow one another in the document, whatever their order in the table.
void write_paths(json_writer& json, std::span<const route_row> rows) {
  json.key("paths").begin_object();
  for (auto first = rows.begin(); first != rows.end(); ++first) {
    const auto same_path = [&](const route_row& row) { return row.path == first->path; };
    if (std::any_of(rows.begin(), first, same_path))
      continue;
    json.key(first->path).begin_object();
    for (const auto& row : rows)
      if (same_path(row)) {
        json.key(row.method == "POST" ? "post" : "get");
        write_operation(json, row);
      }
    json.end_object();
  }
  json.end_object();
}

void write_header(json_writer& json, std::string_view name, std::string_view text) {
  json.key(name).begin_object().member("description", text).key("schema").begin_object();
  json.member("type", "string").end_object().end_object();
}

void write_headers(json_writer& json) {
  json.key("headers").begin_object();
  write_header(json, "Request-Id",
               "Names the request in our logs: the client's own, if it sent a "
               "well-formed one.");
  write_header(json, "Idempotent-Replayed", "\"true\" when this answer was given before.");
  write_header(json, "Preference-Applied", "The preferences that were followed (RFC 7240).");
  write_header(json, "Location", "Where the payment or refund is shown.");
  write_header(json, "Retry-After", "Seconds after which to try again.");
  write_header(json, "WWW-Authenticate", "Bearer (RFC 6750).");
  json.end_object();
}

void write_components_of(json_writer& json, std::string_view kind,
                         std::span<const openapi_component> components) {
  json.key(kind).begin_object();
  for (const auto& [name, content] : components)
    json.key(name).raw(content);
  json.end_object();
}

} // namespace

std::string render_openapi(std::span<const route_row> rows) {
  json_writer json{64 * 1024};
  json.begin_object().member("openapi", "3.1.0").key("info").begin_object();
  json.member("title", "Holdfast").member("version", version());
  json.member("description", description).end_object();
  json.key("security").begin_array().begin_object().key("api_key").begin_array().end_array();
  json.end_object().end_array();
  write_paths(json, rows);
  json.key("components").begin_object();
  write_components_of(json, "schemas", openapi_schemas());
  write_components_of(json, "parameters", openapi_parameters());
  write_headers(json);
  json.key("securitySchemes").begin_object().key("api_key").begin_object();
  json.member("type", "http").member("scheme", "bearer");
  json.member("description", "An API key: hf_test_… or hf_live_…; it names its merchant.");
  json.end_object().end_object();
  return json.end_object().end_object().take();
}

} // namespace holdfast::api
