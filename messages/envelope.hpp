// What crosses between nodes, and its form on the wire (Protobuf,
// messages/proto/cluster.proto). Decoding never throws: bytes come from a peer, who may be
// newer than we are, or wrong.
#pragma once

#include "messages/expected.hpp"
#include "messages/ids.hpp"
#include "messages/peer.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::links {

/// The versions of the protocol that this program speaks.
inline constexpr std::uint32_t protocol_min = 1;
inline constexpr std::uint32_t protocol_max = 1;

// -- the handshake: hello, challenge, proof, welcome; or a refusal in place of any
// ---------------

/// Who a node says that it is.
struct introduction {
  std::uint32_t oldest_protocol = protocol_min;
  std::uint32_t newest_protocol = protocol_max;
  std::string cluster;
  std::string node;
  std::string incarnation; ///< new at every start
  timestamp started_at;    ///< by its own clock: the latest incarnation of a node counts
  std::string program;     ///< version, for people
  std::int32_t schema = 0; ///< version, for people
  std::uint16_t shards = 0;
  std::string advertise; ///< "host:port" that it can be reached at
  std::string nonce;     ///< limits::link_nonce_bytes, new in every handshake
  std::string io_node;   ///< CAF's name of the process
  uuid cluster_id;       ///< as its databases say; nil: of a program from before there were any
};

struct hello {
  introduction who;
};

struct challenge {
  introduction who;
  std::string certificate; ///< PEM; empty where links are in plain text
  std::string signature;   ///< over both introductions
};

struct proof {
  std::string certificate;
  std::string signature;
};

struct welcome {
  std::uint64_t session = 0;
  std::uint32_t window = 0; ///< requests that may be under way at once
};

/// Numbers are never changed or reused.
enum class refusal_reason : std::uint8_t {
  cluster_name = 1,
  protocol_version = 2,
  shard_count = 3,
  certificate = 4,
  superseded = 5, ///< A younger incarnation of the node is linked.
  crowded = 6,    ///< As many nodes are linked as may be.
  nonsense = 7,   ///< It broke the protocol.
  cluster_id = 8,
};

[[nodiscard]] std::string_view to_string(refusal_reason reason) noexcept;

struct refusal {
  refusal_reason reason = refusal_reason::nonsense;
  std::string detail; ///< for a person on either side
};

// -- a link's life
// --------------------------------------------------------------------------------

/// How far the log of a shard is known to have come.
struct shard_mark {
  shard_number shard;
  sequence_number reached;
};

struct ping {
  std::uint64_t number = 0;
  std::vector<shard_mark> marks; ///< those that have changed
};

struct pong {
  std::uint64_t number = 0;
  std::vector<shard_mark> marks;
};

/// The node stops: what is under way will not be answered any more.
struct goodbye {
  /// The last request of the session that was looked at: with those after it nothing was done.
  /// None: nobody knows.
  std::optional<std::uint64_t> last_taken;
};

/// The answer to a request with which nothing was done.
struct rejection {
  error why;
};

using envelope_body = std::variant<hello, challenge, proof, welcome, refusal, ping, pong,
                                   goodbye, rejection, peer_request, peer_answer>;

struct envelope {
  std::uint32_t protocol = protocol_max;
  std::uint64_t session = 0; ///< as the welcome gave it; 0 in the handshake
  std::uint64_t request = 0; ///< of a request and its answer; counted by who asks
  milliseconds deadline{0};  ///< what is left of it; 0: none
  envelope_body body;
};

[[nodiscard]] std::string encode(const envelope& what);

/// Errors: invalid_argument (it doesn't parse, holds an impossible value, or a body that this
/// version does not know), overloaded (longer than limits::link_frame_bytes_max). Details hold
/// nothing of the content.
[[nodiscard]] expected<envelope> decode_envelope(std::string_view bytes);

/// The session and the request of what `decode_envelope` could not read, so that a request of a
/// newer peer can be rejected by its number. None: not even that.
struct envelope_head {
  std::uint64_t session = 0;
  std::uint64_t request = 0;
};
[[nodiscard]] std::optional<envelope_head> decode_head(std::string_view bytes);

} // namespace holdfast::links
