// Requests and answers between nodes, from our structs to Protobuf's and back. For the
// envelope's own sources only: it brings Protobuf with it.
#pragma once

#include "messages/limits.hpp"
#include "messages/peer.hpp"
#include "messages/proto/cluster.pb.h"
#include "messages/wire_values.hpp"

namespace holdfast::links {

namespace wire = cluster::v1;

void write(const peer_request& in, wire::Envelope& out);
void write(const peer_answer& in, wire::Envelope& out);

/// Of an envelope whose body is a request, or an answer; what makes no sense shows in `check`.
[[nodiscard]] peer_request read_request(const wire::Envelope& in, checked& check);
[[nodiscard]] peer_answer read_answer(const wire::Envelope& in, checked& check);

void write_reply(const api_reply& in, wire::ApiReply& out);
[[nodiscard]] api_reply read_reply(const wire::ApiReply& in, checked& check);

/// Numbers of error codes on the wire, never 0. Never changed or reused; one that we don't know
/// is read as unknown_outcome.
[[nodiscard]] std::uint32_t code_to_wire(errc code) noexcept;
[[nodiscard]] errc code_from_wire(std::uint32_t number) noexcept;

[[nodiscard]] inline shard_number read_shard(std::uint32_t number, checked& check) {
  check.that(number < limits::shards_max);
  return {static_cast<std::uint16_t>(number)};
}

template <class Number>
Number narrow(std::uint64_t value, checked& check) {
  check.that(value <= std::numeric_limits<Number>::max());
  return static_cast<Number>(value);
}

} // namespace holdfast::links
