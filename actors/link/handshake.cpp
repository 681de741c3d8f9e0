#include "actors/link/handshake.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace holdfast::links {

namespace {

enum class signer : char { callee = 'b', caller = 'a' };

void append(std::string& out, std::string_view field) {
  auto size = static_cast<std::uint32_t>(field.size());
  for (int byte = 0; byte < 4; ++byte, size >>= 8)
    out.push_back(static_cast<char>(size & 0xff));
  out += field;
}

std::string_view bytes_of(const uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

/// What is signed: who speaks, and what makes this connection unlike any other. Fields of its
/// own rather than the envelope's bytes, because versions may differ in what else they send.
std::string transcript(signer who, const introduction& caller, const introduction& callee) {
  std::string text = "holdfast link 1 ";
  text.push_back(static_cast<char>(who));
  for (const auto* side : {&caller, &callee})
    for (const std::string_view field :
         {std::string_view{side->cluster}, bytes_of(side->cluster_id),
          std::string_view{side->node}, std::string_view{side->incarnation},
          std::string_view{side->nonce}, std::string_view{side->io_node}})
      append(text, field);
  return text;
}

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

std::string versions(const introduction& who) {
  return std::to_string(who.oldest_protocol) + " to " + std::to_string(who.newest_protocol);
}

refusal refuse_cluster_id(const introduction& ours, const introduction& theirs) {
  auto why = "cluster id: " + ours.node + " belongs to " + to_hex(ours.cluster_id) + ", ";
  if (theirs.cluster_id.is_nil())
    why += theirs.node + " (" + theirs.program + ") gives none: upgrade it";
  else
    why += theirs.node + " to " + to_hex(theirs.cluster_id)
           + ", which has the same name: one of them leads to the wrong databases or seeds";
  return {refusal_reason::cluster_id, std::move(why)};
}

refusal refuse_certificate(const std::string& node, const std::string& why) {
  return {refusal_reason::certificate, "certificate: that of " + node + ' ' + why};
}

std::optional<refusal> check_signature(const credentials* keys, const introduction& theirs,
                                       const std::string& certificate, const std::string& bytes,
                                       const std::string& signature) {
  if (!keys)
    return std::nullopt;
  if (const auto fine = keys->verify(certificate, theirs.node, bytes, signature); !fine)
    return refuse_certificate(theirs.node, fine.error().detail);
  return std::nullopt;
}

} // namespace

std::optional<refusal> judge(const introduction& ours, const introduction& theirs) {
  if (ours.cluster != theirs.cluster)
    return refusal{refusal_reason::cluster_name, "cluster name: " + ours.node + " belongs to "
                                                   + quoted(ours.cluster) + ", " + theirs.node
                                                   + " to " + quoted(theirs.cluster)};
  if (ours.cluster_id != theirs.cluster_id)
    return refuse_cluster_id(ours, theirs);
  if (ours.newest_protocol < theirs.oldest_protocol
      || theirs.newest_protocol < ours.oldest_protocol)
    return refusal{refusal_reason::protocol_version,
                   "protocol version: " + ours.node + " (" + ours.program + ") speaks "
                     + versions(ours) + ", " + theirs.node + " (" + theirs.program + ") "
                     + versions(theirs)};
  if (ours.shards != theirs.shards)
    return refusal{refusal_reason::shard_count,
                   "shard count: " + ours.node + " has " + std::to_string(ours.shards) + ", "
                     + theirs.node + " has " + std::to_string(theirs.shards)};
  if (ours.node == theirs.node && !is_ourselves(ours, theirs))
    return refusal{refusal_reason::superseded,
                   "superseded: two processes run as " + quoted(ours.node)};
  return std::nullopt;
}

std::uint32_t common_protocol(const introduction& a, const introduction& b) noexcept {
  return std::min(a.newest_protocol, b.newest_protocol);
}

bool is_ourselves(const introduction& ours, const introduction& theirs) noexcept {
  return ours.node == theirs.node && ours.incarnation == theirs.incarnation;
}

bool is_younger(const introduction& a, const introduction& b) noexcept {
  return std::tie(a.started_at, a.incarnation) > std::tie(b.started_at, b.incarnation);
}

std::variant<proof, refusal> caller::answer(const challenge& from) {
  if (has_proved_)
    return refusal{refusal_reason::nonsense, "nonsense: a second challenge"};
  theirs_ = from.who;
  if (auto why = judge(ours_, theirs_))
    return *why;
  if (auto why = check_signature(keys_, theirs_, from.certificate,
                                 transcript(signer::callee, ours_, theirs_), from.signature))
    return *why;
  proof out;
  if (keys_) {
    auto signature = keys_->sign(transcript(signer::caller, ours_, theirs_));
    if (!signature)
      return refuse_certificate(ours_.node, "cannot sign: " + signature.error().detail);
    out = {keys_->certificate(), std::move(*signature)};
  }
  has_proved_ = true;
  return out;
}

std::variant<challenge, refusal> callee::answer(const hello& from) {
  theirs_ = from.who;
  if (auto why = judge(ours_, theirs_))
    return *why;
  challenge out;
  out.who = ours_;
  if (keys_) {
    auto signature = keys_->sign(transcript(signer::callee, theirs_, ours_));
    if (!signature)
      return refuse_certificate(ours_.node, "cannot sign: " + signature.error().detail);
    out.certificate = keys_->certificate();
    out.signature = std::move(*signature);
  }
  return out;
}

std::optional<refusal> callee::check(const proof& from) const {
  return check_signature(keys_, theirs_, from.certificate,
                         transcript(signer::caller, theirs_, ours_), from.signature);
}

} // namespace holdfast::links
