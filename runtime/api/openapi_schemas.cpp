// The components of the OpenAPI document, as they stand in it. The objects' members are in the
// order in which they are rendered (actors/api/render.cpp, object_json.cpp).
#include "messages/limits.hpp"
#include "runtime/api/openapi.hpp"

#include <array>

namespace holdfast::api {

namespace {

// The text below repeats these numbers.
static_assert(limits::amount_minor_max == 999'999'999'999);
static_assert(limits::reference_bytes_max == 255 && limits::token_bytes_max == 255);
static_assert(limits::description_bytes_max == 1'000 && limits::reason_bytes_max == 500);
static_assert(limits::region_bytes_max == 32 && limits::metadata_pairs_max == 50);
static_assert(limits::metadata_key_bytes_max == 40 && limits::metadata_value_bytes_max == 500);
static_assert(limits::list_limit_max == 100 && limits::list_limit_default == 10);
static_assert(limits::prefer_wait_s_max == 55 && limits::prefer_wait_s_default == 10);
static_assert(limits::idempotency_key_bytes_max == 255 && limits::webhook_id_bytes_max == 255);
static_assert(limits::dispute_note_bytes_max == 5'000 && limits::webhook_skew_s_max == 300);

constexpr std::array schemas{
  openapi_component{"amount", R"({"type":"integer","minimum":1,"maximum":999999999999,
"description":"In the minor unit of the currency; written without point or exponent."})"},
  openapi_component{"currency", R"({"type":"string","pattern":"^[A-Z]{3}$",
"description":"ISO 4217, in capitals.","examples":["EUR"]})"},
  openapi_component{
    "time",
    R"({"type":"string","format":"date-time","examples":["2026-11-23T01:27:00.123456Z"]})"},
  openapi_component{"metadata", R"({"type":"object","maxProperties":50,
"propertyNames":{"minLength":1,"maxLength":40},"additionalProperties":{"type":"string",
"maxLength":500}})"},

  // -- requests
  openapi_component{"create_payment", R"({"type":"object","additionalProperties":false,
"required":["amount","currency","capture","payment_method"],"properties":{
"amount":{"$ref":"#/components/schemas/amount"},
"currency":{"$ref":"#/components/schemas/currency"},
"capture":{"enum":["manual","automatic"]},
"payment_method":{"oneOf":[
{"type":"object","additionalProperties":false,"required":["card"],
"properties":{"card":{"$ref":"#/components/schemas/card"}}},
{"type":"object","additionalProperties":false,"required":["token"],
"properties":{"token":{"type":"string","minLength":1,"maxLength":255}}}]},
"reference":{"type":"string","maxLength":255},
"description":{"type":"string","maxLength":1000},
"region":{"type":"string","pattern":"^[A-Za-z0-9._-]{0,32}$"},
"metadata":{"$ref":"#/components/schemas/metadata"}}})"},
  openapi_component{"card", R"({"type":"object","additionalProperties":false,
"required":["number","exp_month","exp_year","cvc"],"properties":{
"number":{"type":"string","pattern":"^[0-9]{12,19}$","writeOnly":true},
"exp_month":{"type":"integer","minimum":1,"maximum":12},
"exp_year":{"type":"integer","minimum":2000,"maximum":2099},
"cvc":{"type":"string","pattern":"^[0-9]{3,4}$","writeOnly":true}}})"},
  openapi_component{"capture_payment",
                    R"({"type":"object","additionalProperties":false,"properties":{
"amount":{"$ref":"#/components/schemas/amount","description":"Left out: all that is left."},
"final":{"type":"boolean","default":false,"description":"Release what this capture leaves."}}})"},
  openapi_component{"void_payment",
                    R"({"type":"object","additionalProperties":false,"properties":{}})"},
  openapi_component{"create_refund",
                    R"({"type":"object","additionalProperties":false,"properties":{
"amount":{"$ref":"#/components/schemas/amount","description":"Left out: all that is left."},
"reason":{"type":"string","maxLength":500}}})"},

  openapi_component{"note_evidence",
                    R"({"type":"object","additionalProperties":false,"required":["note"],
"properties":{"note":{"type":"string","minLength":1,"maxLength":5000}}})"},
  openapi_component{"webhook", R"({"type":"object","additionalProperties":false,
"required":["id","type","created_at","data"],"properties":{
"id":{"type":"string","minLength":1,"maxLength":255,"description":"Of the notice; told twice, it counts once."},
"type":{"enum":["authorization.approved","authorization.declined","authorization.captured",
"authorization.refunded","authorization.reversed","dispute.opened","dispute.won","dispute.lost"]},
"created_at":{"$ref":"#/components/schemas/time"},
"data":{"type":"object","additionalProperties":false,"required":["reference"],"properties":{
"reference":{"type":"string","maxLength":255,"examples":["pay_….1"],
"description":"Ours: of the authorization, or of one of its operations."},
"gateway_reference":{"type":"string","maxLength":255},
"amount":{"$ref":"#/components/schemas/amount"},
"currency":{"$ref":"#/components/schemas/currency"},
"dispute":{"type":"object","additionalProperties":false,"required":["id"],
"description":"With the types dispute.…, which need amount and currency too.","properties":{
"id":{"type":"string","minLength":1,"maxLength":255,"description":"The same for the whole of a dispute."},
"reason":{"type":"string","maxLength":500},
"fee":{"type":"integer","minimum":0,"description":"What the acquirer charges for the dispute."}}}}}}})"},

  // -- objects
  openapi_component{"payment", R"({"type":"object","required":["id","object","status","amount",
"amount_captured","amount_refunded","currency","capture","payment_method","gateway",
"gateway_reference","attempts","reference","description","metadata","created_at","updated_at"],
"properties":{
"id":{"type":"string","pattern":"^pay_[0-9a-f]{32}$"},
"object":{"const":"payment"},
"status":{"$ref":"#/components/schemas/payment_status"},
"amount":{"type":"integer"},
"amount_captured":{"type":"integer"},
"amount_refunded":{"type":"integer"},
"currency":{"$ref":"#/components/schemas/currency"},
"capture":{"enum":["manual","automatic"]},
"payment_method":{"type":"object","required":["brand","last4","exp_month","exp_year"],"properties":{
"brand":{"enum":["visa","mastercard","amex","discover","unknown",null]},
"last4":{"type":["string","null"]},"exp_month":{"type":["integer","null"]},
"exp_year":{"type":["integer","null"]},"token":{"type":"string"}}},
"gateway":{"type":["string","null"]},
"gateway_reference":{"type":["string","null"]},
"decline":{"type":"object","required":["code","message"],"properties":{"code":{"type":"string"},
"message":{"type":"string"}}},
"next_inquiry_at":{"$ref":"#/components/schemas/time"},
"batch":{"type":"string"},
"amount_disputed":{"type":"integer","description":"Reserved for disputes that are open or lost."},
"attempts":{"type":"array","items":{"$ref":"#/components/schemas/attempt"}},
"reference":{"type":["string","null"]},
"description":{"type":["string","null"]},
"region":{"type":"string"},
"metadata":{"$ref":"#/components/schemas/metadata"},
"created_at":{"$ref":"#/components/schemas/time"},
"updated_at":{"$ref":"#/components/schemas/time"}}})"},
  openapi_component{"attempt",
                    R"({"type":"object","required":["number","gateway","status","reference",
"tries","reason","started_at"],"properties":{
"number":{"type":"integer"},
"gateway":{"type":"string"},
"status":{"enum":["started","approved","declined","not_sent","unknown","reversing","reversed"]},
"reference":{"type":"string","description":"Ours, as the gateway knows it."},
"gateway_reference":{"type":"string"},
"tries":{"type":"integer"},
"reason":{"type":"string","description":"Why this gateway was asked, and why then."},
"last_heard":{"type":"string","description":"A code: why it was declined, not sent or unknown."},
"escalated":{"type":"boolean","description":"The outcome took too long: a person was asked."},
"started_at":{"$ref":"#/components/schemas/time"},
"next_try_at":{"$ref":"#/components/schemas/time"}}})"},
  openapi_component{"payment_status", R"({"enum":["processing","pending_gateway","authorized",
"partially_captured","captured","batched","settled","rejected","declined","voided","expired",
"failed"]})"},
  openapi_component{"refund",
                    R"({"type":"object","required":["id","object","payment","status","amount",
"currency","reason","gateway_reference","created_at"],"properties":{
"id":{"type":"string","pattern":"^ref_[0-9a-f]{32}$"},
"object":{"const":"refund"},
"payment":{"type":"string"},
"status":{"enum":["pending","succeeded","failed"]},
"amount":{"type":"integer"},
"currency":{"$ref":"#/components/schemas/currency"},
"reason":{"type":["string","null"]},
"gateway_reference":{"type":["string","null"]},
"failure_code":{"type":"string"},
"created_at":{"$ref":"#/components/schemas/time"}}})"},
  openapi_component{"dispute",
                    R"({"type":"object","required":["id","object","payment","status","amount",
"amount_reserved","fee","currency","reason","gateway","gateway_dispute","evidence","opened_at",
"closed_at"],"properties":{
"id":{"type":"string","pattern":"^dsp_[0-9a-f]{32}$"},
"object":{"const":"dispute"},
"payment":{"type":"string"},
"status":{"enum":["open","won","lost"]},
"amount":{"type":"integer","description":"What the cardholder wants back."},
"amount_reserved":{"type":"integer","description":"The part of it that had not been refunded."},
"fee":{"type":"integer","description":"The acquirer's; kept whoever wins."},
"currency":{"$ref":"#/components/schemas/currency"},
"reason":{"type":["string","null"]},
"gateway":{"type":"string"},
"gateway_dispute":{"type":"string","description":"The gateway's own id of it."},
"evidence":{"type":"array","items":{"type":"object","required":["note","at"],"properties":{
"note":{"type":"string"},"at":{"$ref":"#/components/schemas/time"}}}},
"opened_at":{"$ref":"#/components/schemas/time"},
"closed_at":{"oneOf":[{"$ref":"#/components/schemas/time"},{"type":"null"}]}}})"},
  openapi_component{"webhook_receipt",
                    R"({"type":"object","required":["object","id","duplicate"],"properties":{
"object":{"const":"webhook"},
"id":{"type":"string"},
"duplicate":{"type":"boolean","description":"It was recorded before and has no effect."}}})"},
  openapi_component{"balance",
                    R"({"type":"object","required":["object","currency","pending","available",
"reserve","held"],"properties":{
"object":{"const":"balance"},
"currency":{"$ref":"#/components/schemas/currency"},
"pending":{"type":"integer","description":"Captured; the acquirer has yet to pay."},
"available":{"type":"integer","description":"Paid by the acquirer, less fees."},
"reserve":{"type":"integer","description":"Withheld for open disputes."},
"held":{"type":"integer","description":"Authorized and not captured."}}})"},
  openapi_component{"ledger_entry",
                    R"({"type":"object","required":["id","object","event","event_type",
"ordinal","account","owner","amount","currency","balance_after","effective_at","external_ref"],
"properties":{
"id":{"type":"string","pattern":"^ent_[0-9a-f]{24}$"},
"object":{"const":"ledger_entry"},
"payment":{"type":"string"},
"item":{"type":"string","description":"A rejected capture or refund."},
"batch":{"type":"string"},
"file":{"type":"string"},
"exception":{"type":"string","description":"That a person resolved with it."},
"event":{"type":"string","pattern":"^evt_[0-9a-f]{20}$"},
"event_type":{"enum":["authorization","release","capture","refund","settlement","rejection",
"unexplained","dispute_reserve","dispute_release","dispute_loss","adjustment","write_off"]},
"ordinal":{"type":"integer"},
"account":{"type":"string"},
"owner":{"type":"string"},
"amount":{"type":"integer","description":"Debit positive, credit negative."},
"currency":{"$ref":"#/components/schemas/currency"},
"balance_after":{"type":"integer"},
"effective_at":{"$ref":"#/components/schemas/time"},
"external_ref":{"type":["string","null"]}}})"},
  openapi_component{
    "batch", R"({"type":"object","required":["id","object","merchant","acquirer","currency",
"status","items","gross","acquirer_fees","platform_fees","net","file","closed_at",
"reconciled_at"],"properties":{
"id":{"type":"string","pattern":"^bat_[0-9a-f]{32}$"},
"object":{"const":"batch"},
"merchant":{"type":"string"},
"acquirer":{"type":"string"},
"currency":{"$ref":"#/components/schemas/currency"},
"status":{"enum":["closed","submitted","answered","reconciled"]},
"items":{"type":"integer"},
"gross":{"type":"integer","description":"Captures less refunds."},
"acquirer_fees":{"type":"integer"},
"platform_fees":{"type":"integer"},
"net":{"type":"integer"},
"file":{"type":["string","null"]},
"closed_at":{"$ref":"#/components/schemas/time"},
"reconciled_at":{"oneOf":[{"$ref":"#/components/schemas/time"},{"type":"null"}]}}})"},
  openapi_component{"batch_item",
                    R"({"type":"object","required":["id","object","kind","payment","amount",
"status","fee","gateway_reference","batch","file","report_line"],"properties":{
"id":{"type":"string"},
"object":{"const":"batch_item"},
"kind":{"enum":["capture","refund"]},
"payment":{"type":"string"},
"amount":{"type":"integer"},
"status":{"enum":["none","batched","settled","rejected"]},
"fee":{"type":"integer"},
"gateway_reference":{"type":["string","null"]},
"batch":{"type":"string"},
"file":{"type":["string","null"]},
"report_line":{"type":["integer","null"],"description":"Of the acquirer's settlement report."}}})"},
  openapi_component{"batch_with_items", R"({"allOf":[{"$ref":"#/components/schemas/batch"},
{"type":"object","required":["items_data"],"properties":{
"items_data":{"$ref":"#/components/schemas/batch_item_list"}}}]})"},
  openapi_component{
    "event", R"({"type":"object","required":["id","object","type","shard","seq","subject",
"at","data"],"properties":{
"id":{"type":"string","pattern":"^evt_[0-9a-f]{20}$"},
"object":{"const":"event"},
"type":{"type":"string","examples":["payment.created","capture.succeeded"]},
"shard":{"type":"integer"},
"seq":{"type":"integer"},
"subject":{"type":"string"},
"at":{"$ref":"#/components/schemas/time"},
"data":{"type":["object","null"]},
"corrupt":{"const":true}}})"},
  openapi_component{"exception",
                    R"({"type":"object","required":["id","object","kind","status","merchant",
"payment","batch","file","currency","expected_amount","reported_amount","raw_line","detail",
"opened_at"],"properties":{
"id":{"type":"string","pattern":"^exc_[0-9a-f]{32}$"},
"object":{"const":"exception"},
"kind":{"type":"string"},
"status":{"enum":["open","resolved"]},
"merchant":{"type":["string","null"]},
"payment":{"type":["string","null"]},
"batch":{"type":["string","null"]},
"file":{"type":["string","null"]},
"currency":{"type":"string"},
"expected_amount":{"type":"integer"},
"reported_amount":{"type":"integer"},
"raw_line":{"type":"string"},
"detail":{"type":"string"},
"opened_at":{"$ref":"#/components/schemas/time"}}})"},
  openapi_component{"timeline",
                    R"({"type":"object","required":["id","object","payment","request","events",
"attempts","operations","disputes","ledger_entries","settlement","exceptions"],"properties":{
"id":{"type":"string"},
"object":{"const":"timeline"},
"payment":{"$ref":"#/components/schemas/payment"},
"request":{"type":"object","required":["idempotency_key","received_at","route","acquirer"],
"properties":{
"idempotency_key":{"type":"string"},"received_at":{"$ref":"#/components/schemas/time"},
"route":{"type":"array","items":{"type":"string"}},
"route_reasons":{"type":"array","items":{"type":"string"}},"acquirer":{"type":"string"}}},
"events":{"type":"array","items":{"$ref":"#/components/schemas/event"}},
"attempts":{"type":"array","items":{"$ref":"#/components/schemas/attempt"}},
"operations":{"type":"array","items":{"type":"object","required":["kind","ordinal","reference",
"status",
"amount","gateway_reference","refusal_code","tries","idempotency_key","created_at"],"properties":{
"kind":{"enum":["capture","refund","void"]},"ordinal":{"type":"integer"},"id":{"type":"string"},
"reference":{"type":"string"},"status":{"enum":["requested","succeeded","refused"]},
"amount":{"type":"integer"},
"gateway_reference":{"type":["string","null"]},"refusal_code":{"type":["string","null"]},
"tries":{"type":"integer"},"idempotency_key":{"type":"string"},
"created_at":{"$ref":"#/components/schemas/time"}}}},
"disputes":{"type":"array","items":{"$ref":"#/components/schemas/dispute"}},
"ledger_entries":{"type":"array","items":{"$ref":"#/components/schemas/ledger_entry"}},
"settlement":{"type":"array","items":{"$ref":"#/components/schemas/batch_item"}},
"exceptions":{"type":"array","items":{"$ref":"#/components/schemas/exception"}}}})"},

  // -- lists
  openapi_component{
    "list", R"({"type":"object","required":["object","data","has_more","url"],"properties":{
"object":{"const":"list"},"data":{"type":"array"},"has_more":{"type":"boolean"},
"url":{"type":"string"}}})"},
  openapi_component{"payment_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"properties":{"data":{"items":{"$ref":"#/components/schemas/payment"}}}}]})"},
  openapi_component{"dispute_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"properties":{"data":{"items":{"$ref":"#/components/schemas/dispute"}}}}]})"},
  openapi_component{"balance_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"properties":{"data":{"items":{"$ref":"#/components/schemas/balance"}}}}]})"},
  openapi_component{"ledger_entry_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"properties":{"data":{"items":{"$ref":"#/components/schemas/ledger_entry"}}}}]})"},
  openapi_component{"batch_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"properties":{"data":{"items":{"$ref":"#/components/schemas/batch"}}}}]})"},
  openapi_component{"batch_item_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"properties":{"data":{"items":{"$ref":"#/components/schemas/batch_item"}}}}]})"},
  openapi_component{"event_list", R"({"allOf":[{"$ref":"#/components/schemas/list"},
{"required":["next"],"properties":{"data":{"items":{"$ref":"#/components/schemas/event"},
"description":"Each event once: those of a shard by `seq`, across shards roughly by time."},
"next":{"type":["string","null"],
"description":"What to send as `after` next time; also at the feed's end."}}}]})"},

  // -- the rest
  openapi_component{
    "problem", R"({"type":"object","required":["type","title","status","code"],"properties":{
"type":{"type":"string","format":"uri","examples":["urn:holdfast:problem:invalid_amount"]},
"title":{"type":"string"},
"status":{"type":"integer"},
"detail":{"type":"string"},
"instance":{"type":"string"},
"code":{"type":"string","description":"Our stable word for machines."},
"param":{"type":"string","description":"The field at fault, dotted."},
"request_id":{"type":"string"},
"decline_code":{"type":"string"},
"payment":{"$ref":"#/components/schemas/payment"}}})"},
  openapi_component{"openapi", R"({"type":"object","required":["openapi","info","paths"]})"},
};

constexpr std::array parameters{
  openapi_component{"id",
                    R"({"name":"id","in":"path","required":true,"schema":{"type":"string"}})"},
  openapi_component{
    "gateway", R"({"name":"gateway","in":"path","required":true,"schema":{"type":"string"}})"},
  openapi_component{"Webhook-Signature",
                    R"({"name":"Webhook-Signature","in":"header","required":true,
"description":"`t=<unix seconds>,v1=<hexadecimal HMAC-SHA-256 of \"t.body\">` under the gateway's secret, at most 300 s old; further v1 for a secret that is being changed.",
"schema":{"type":"string","maxLength":1024}})"},
  openapi_component{"Idempotency-Key",
                    R"({"name":"Idempotency-Key","in":"header","required":true,
"description":"Visible ASCII, bare or quoted (RFC 8941). The same request gets its answer again.",
"schema":{"type":"string","minLength":1,"maxLength":255}})"},
  openapi_component{"Prefer", R"({"name":"Prefer","in":"header",
"description":"`wait=N`: seconds before a 202, 0 to 55, else 10. `respond-async`: 202 at once.",
"schema":{"type":"string"},"examples":{"wait":{"value":"wait=5"},
"async":{"value":"respond-async"}}})"},
  openapi_component{"traceparent", R"({"name":"traceparent","in":"header",
"description":"W3C Trace Context; carried on to the gateway.","schema":{"type":"string"}})"},
  openapi_component{
    "limit",
    R"({"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":100,
"default":10}})"},
  openapi_component{"starting_after", R"({"name":"starting_after","in":"query",
"description":"The id of the last object of the page before.","schema":{"type":"string"}})"},
  openapi_component{"after", R"({"name":"after","in":"query",
"description":"The `next` of an earlier page, opaque; left out: from the feed's beginning.",
"schema":{"type":"string"}})"},
  openapi_component{
    "status",
    R"({"name":"status","in":"query","schema":{"$ref":"#/components/schemas/payment_status"}})"},
  openapi_component{
    "reference",
    R"({"name":"reference","in":"query","description":"Exact.","schema":{"type":"string"}})"},
  openapi_component{"payment", R"({"name":"payment","in":"query","schema":{"type":"string"}})"},
  openapi_component{"account", R"({"name":"account","in":"query",
"schema":{"enum":["merchant_pending","merchant_available","merchant_reserve","hold_contra"]}})"},
};

} // namespace

std::span<const openapi_component> openapi_schemas() noexcept {
  return schemas;
}

std::span<const openapi_component> openapi_parameters() noexcept {
  return parameters;
}

} // namespace holdfast::api
