#include "messages/envelope.hpp"

#include "messages/envelope_body.hpp"
#include "messages/limits.hpp"

namespace holdfast::links {

namespace {

// -- the handshake ----------------------------------------------------------------------------

// The structs are taken apart by structured bindings, so that a field which is added and
// forgotten here doesn't compile.

void write(const introduction& in, wire::Introduction& out) {
  const auto& [oldest, newest, cluster, node, incarnation, started_at, program, schema, shards,
               advertise, nonce, io_node, cluster_id] = in;
  out.set_protocol_min(oldest);
  out.set_protocol_max(newest);
  out.set_cluster(cluster);
  out.set_node(node);
  out.set_incarnation(incarnation);
  out.set_started_at_us(to_wire(started_at));
  out.set_program(program);
  out.set_schema(schema);
  out.set_shards(shards);
  out.set_advertise(advertise);
  out.set_nonce(nonce);
  out.set_io_node(io_node);
  out.set_cluster_id(to_wire(cluster_id));
}

bool is_short(const std::string& text) {
  return text.size() <= limits::link_text_bytes_max;
}

introduction read(const wire::Introduction& in, checked& check) {
  check.that(is_short(in.cluster()) && is_short(in.node()) && is_short(in.incarnation()));
  check.that(is_short(in.program()) && is_short(in.advertise()) && is_short(in.io_node()));
  check.that(in.nonce().size() == limits::link_nonce_bytes);
  introduction out;
  out.oldest_protocol = in.protocol_min();
  out.newest_protocol = in.protocol_max();
  out.cluster = in.cluster();
  out.node = in.node();
  out.incarnation = in.incarnation();
  out.started_at = to_time(in.started_at_us());
  out.program = in.program();
  out.schema = in.schema();
  out.shards = narrow<std::uint16_t>(in.shards(), check);
  out.advertise = in.advertise();
  out.nonce = in.nonce();
  out.io_node = in.io_node();
  // Who gives none hears why it is refused; it wouldn't if it were not understood.
  if (!in.cluster_id().empty())
    out.cluster_id = check.id(in.cluster_id());
  return out;
}

std::string read_credential(const std::string& bytes, checked& check) {
  check.that(bytes.size() <= limits::link_certificate_bytes_max);
  return bytes;
}

void write_body(const hello& in, wire::Envelope& out) {
  write(in.who, *out.mutable_hello()->mutable_who());
}

void write_body(const challenge& in, wire::Envelope& out) {
  auto& message = *out.mutable_challenge();
  write(in.who, *message.mutable_who());
  message.set_certificate(in.certificate);
  message.set_signature(in.signature);
}

void write_body(const proof& in, wire::Envelope& out) {
  out.mutable_proof()->set_certificate(in.certificate);
  out.mutable_proof()->set_signature(in.signature);
}

void write_body(const welcome& in, wire::Envelope& out) {
  out.mutable_welcome()->set_session(in.session);
  out.mutable_welcome()->set_window(in.window);
}

void write_body(const refusal& in, wire::Envelope& out) {
  out.mutable_refusal()->set_reason(static_cast<std::uint32_t>(in.reason));
  out.mutable_refusal()->set_detail(in.detail);
}

goodbye read(const wire::Goodbye& in) {
  goodbye out;
  if (in.has_last_taken())
    out.last_taken = in.last_taken();
  return out;
}

/// A peer's words go into our log: of any length they don't.
refusal read(const wire::Refusal& in) {
  // A newer peer may have a reason that we don't know; its words are what counts.
  const bool is_known =
    in.reason() >= static_cast<std::uint32_t>(refusal_reason::cluster_name)
    && in.reason() <= static_cast<std::uint32_t>(refusal_reason::cluster_id);
  return {is_known ? static_cast<refusal_reason>(in.reason()) : refusal_reason::nonsense,
          in.detail().substr(0, limits::link_text_bytes_max)};
}

// -- a link's life ----------------------------------------------------------------------------

template <class Beat>
void write_beat(const Beat& in, auto& out) {
  out.set_number(in.number);
  for (const auto& [shard, reached] : in.marks) {
    auto& mark = *out.add_marks();
    mark.set_shard(shard.value);
    mark.set_reached(reached.value);
  }
}

template <class Beat>
Beat read_beat(const auto& in, checked& check) {
  Beat out;
  out.number = in.number();
  for (const auto& mark : in.marks()) {
    check.that(mark.shard() < limits::shards_max && mark.reached() >= 0);
    out.marks.push_back({{static_cast<std::uint16_t>(mark.shard())}, {mark.reached()}});
  }
  return out;
}

void write_body(const ping& in, wire::Envelope& out) {
  write_beat(in, *out.mutable_ping());
}

void write_body(const pong& in, wire::Envelope& out) {
  write_beat(in, *out.mutable_pong());
}

void write_body(const goodbye& in, wire::Envelope& out) {
  auto& body = *out.mutable_goodbye();
  if (in.last_taken)
    body.set_last_taken(*in.last_taken);
}

void write_body(const rejection& in, wire::Envelope& out) {
  out.mutable_rejection()->set_code(code_to_wire(in.why.code));
  out.mutable_rejection()->set_detail(in.why.detail);
}

void write_body(const peer_request& in, wire::Envelope& out) {
  write(in, out);
}

void write_body(const peer_answer& in, wire::Envelope& out) {
  write(in, out);
}

envelope_body read_body(const wire::Envelope& in, checked& check) {
  using body = wire::Envelope;
  switch (in.body_case()) {
    case body::kHello: return hello{read(in.hello().who(), check)};
    case body::kChallenge:
      return challenge{read(in.challenge().who(), check),
                       read_credential(in.challenge().certificate(), check),
                       read_credential(in.challenge().signature(), check)};
    case body::kProof:
      return proof{read_credential(in.proof().certificate(), check),
                   read_credential(in.proof().signature(), check)};
    case body::kWelcome: return welcome{in.welcome().session(), in.welcome().window()};
    case body::kRefusal: return read(in.refusal());
    case body::kPing: return read_beat<ping>(in.ping(), check);
    case body::kPong: return read_beat<pong>(in.pong(), check);
    case body::kGoodbye: return read(in.goodbye());
    case body::kRejection:
      return rejection{
        make_error(code_from_wire(in.rejection().code()),
                   in.rejection().detail().substr(0, limits::link_text_bytes_max))};
    case body::kCommand:
    case body::kNotice:
    case body::kOrder:
    case body::kExceptions:
    case body::kCutoff:
    case body::kBreaker:
    case body::kShardsReleased: return read_request(in, check);
    case body::kReply:
    case body::kOrderAnswer:
    case body::kCutoffAnswer:
    case body::kNotOwner:
    case body::kAccepted: return read_answer(in, check);
    case body::BODY_NOT_SET: break;
  }
  check.that(false);
  return goodbye{};
}

} // namespace

std::string_view to_string(refusal_reason reason) noexcept {
  switch (reason) {
    case refusal_reason::cluster_name: return "cluster name";
    case refusal_reason::protocol_version: return "protocol version";
    case refusal_reason::shard_count: return "shard count";
    case refusal_reason::certificate: return "certificate";
    case refusal_reason::superseded: return "superseded";
    case refusal_reason::crowded: return "crowded";
    case refusal_reason::nonsense: return "nonsense";
    case refusal_reason::cluster_id: return "cluster id";
  }
  return "nonsense";
}

std::string encode(const envelope& what) {
  wire::Envelope out;
  out.set_protocol(what.protocol);
  out.set_session(what.session);
  out.set_request(what.request);
  out.set_deadline_ms(what.deadline.count());
  std::visit([&out](const auto& body) { write_body(body, out); }, what.body);
  return out.SerializeAsString();
}

expected<envelope> decode_envelope(std::string_view bytes) {
  if (bytes.size() > limits::link_frame_bytes_max)
    return make_error(errc::overloaded, "an envelope of " + std::to_string(bytes.size())
                                          + " bytes is longer than "
                                          + std::to_string(limits::link_frame_bytes_max));
  wire::Envelope in;
  if (!parse(bytes, in))
    return make_error(errc::invalid_argument, "an envelope that does not parse");
  if (in.body_case() == wire::Envelope::BODY_NOT_SET)
    return make_error(errc::invalid_argument,
                      "an envelope whose content this version does not know");
  checked check;
  envelope out;
  out.protocol = in.protocol();
  out.session = in.session();
  out.request = in.request();
  check.that(in.deadline_ms() >= 0 && in.deadline_ms() <= limits::link_deadline_ms_max);
  out.deadline = milliseconds{in.deadline_ms()};
  out.body = read_body(in, check);
  if (!check.ok())
    return make_error(errc::invalid_argument, "an envelope that holds an impossible value");
  return out;
}

std::optional<envelope_head> decode_head(std::string_view bytes) {
  wire::Envelope in;
  if (bytes.size() > limits::link_frame_bytes_max || !parse(bytes, in))
    return std::nullopt;
  return envelope_head{in.session(), in.request()};
}

} // namespace holdfast::links
