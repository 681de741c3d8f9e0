// How nodes answer each other, on the wire.
#include "messages/envelope_body.hpp"

#include <array>
#include <utility>

namespace holdfast::links {

namespace {

constexpr std::array<std::pair<errc, std::uint32_t>, 12> error_numbers{{
  {errc::invalid_argument, 1},
  {errc::not_found, 2},
  {errc::invalid_state, 3},
  {errc::amount_too_large, 4},
  {errc::conflict, 5},
  {errc::not_owner, 6},
  {errc::rejected, 7},
  {errc::unavailable, 8},
  {errc::unknown_outcome, 9},
  {errc::overloaded, 10},
  {errc::corrupt, 11},
  {errc::internal, 12},
}};

void write_answer(const api_reply& in, wire::Envelope& out) {
  write_reply(in, *out.mutable_reply());
}

void write_answer(const expected<exception_id>& in, wire::Envelope& out) {
  auto& message = *out.mutable_order_answer();
  if (in) {
    message.set_exception(to_wire(in->value));
  } else {
    message.set_code(code_to_wire(in.error().code));
    message.set_detail(in.error().detail);
  }
}

expected<exception_id> read(const wire::OrderAnswer& in, checked& check) {
  if (in.code() != 0)
    return make_error(code_from_wire(in.code()), in.detail());
  return exception_id{check.id(in.exception())};
}

void write_answer(const cutoff_answer& in, wire::Envelope& out) {
  const auto& [ok, shards, batches, items, files, reconciled, exceptions, detail] = in;
  auto& message = *out.mutable_cutoff_answer();
  message.set_ok(ok);
  for (const auto shard : shards)
    message.add_shards(shard.value);
  message.set_batches(batches);
  message.set_items(items);
  message.set_files(files);
  message.set_reconciled(reconciled);
  message.set_exceptions(exceptions);
  message.set_detail(detail);
}

cutoff_answer read(const wire::CutoffAnswer& in, checked& check) {
  cutoff_answer out{in.ok(),         {},         in.batches(),
                    in.items(),      in.files(), in.reconciled(),
                    in.exceptions(), in.detail()};
  for (const auto number : in.shards())
    out.shards.push_back(read_shard(number, check));
  return out;
}

void write_answer(const not_owner& in, wire::Envelope& out) {
  out.set_epoch(in.epoch.value);
  out.mutable_not_owner()->set_owner(in.owner);
}

void write_answer(const accepted&, wire::Envelope& out) {
  out.mutable_accepted();
}

} // namespace

std::uint32_t code_to_wire(errc code) noexcept {
  for (const auto& [known, number] : error_numbers)
    if (known == code)
      return number;
  return code_to_wire(errc::internal);
}

errc code_from_wire(std::uint32_t number) noexcept {
  for (const auto& [code, known] : error_numbers)
    if (known == number)
      return code;
  return errc::unknown_outcome;
}

void write_reply(const api_reply& in, wire::ApiReply& out) {
  const auto& [status, content_type, body, location, retry_after_s, replayed] = in;
  out.set_status(status);
  out.set_content_type(content_type);
  out.set_body(body);
  out.set_location(location);
  out.set_retry_after_s(retry_after_s);
  out.set_replayed(replayed);
}

api_reply read_reply(const wire::ApiReply& in, checked& check) {
  check.that(in.status() >= 200 && in.status() <= 599);
  return {narrow<std::uint16_t>(in.status(), check),
          in.content_type(),
          in.body(),
          in.location(),
          in.retry_after_s(),
          in.replayed()};
}

void write(const peer_answer& in, wire::Envelope& out) {
  std::visit([&out](const auto& answer) { write_answer(answer, out); }, in);
}

peer_answer read_answer(const wire::Envelope& in, checked& check) {
  using body = wire::Envelope;
  switch (in.body_case()) {
    case body::kReply: return read_reply(in.reply(), check);
    case body::kOrderAnswer: return peer_answer{read(in.order_answer(), check)};
    case body::kCutoffAnswer: return read(in.cutoff_answer(), check);
    case body::kNotOwner: return not_owner{in.not_owner().owner(), {in.epoch()}};
    case body::kAccepted: return accepted{};
    default: check.that(false); return accepted{};
  }
}

} // namespace holdfast::links
