// How two nodes get to know each other: hello, challenge, proof, welcome. Pure: each side is
// told what has come and says what goes out.
//
// CAF's TLS lets in whoever has a certificate of our authority, and doesn't tell which. So each
// side signs what both have said of themselves, with the key of a certificate that names it.
#pragma once

#include "actors/link/credentials.hpp"
#include "messages/envelope.hpp"

#include <optional>
#include <string>
#include <variant>

namespace holdfast::links {

/// Why the two can't be of one cluster, if they can't: each of them comes to the same finding.
[[nodiscard]] std::optional<refusal> judge(const introduction& ours,
                                           const introduction& theirs);

/// The newest version that both speak; there must be one.
[[nodiscard]] std::uint32_t common_protocol(const introduction& a,
                                            const introduction& b) noexcept;

/// Whether the other end is this very process.
[[nodiscard]] bool is_ourselves(const introduction& ours, const introduction& theirs) noexcept;

/// Whether `a` is a later incarnation of its node than `b`.
[[nodiscard]] bool is_younger(const introduction& a, const introduction& b) noexcept;

/// The side that connects. Used once.
class caller {
public:
  /// Without credentials nothing is proved: links in plain text.
  caller(introduction ours, const credentials* keys) : ours_(std::move(ours)), keys_(keys) {}

  [[nodiscard]] hello begin() const { return {ours_}; }
  /// Either goes to the other side. After a proof, `peer` is who it says that it is.
  [[nodiscard]] std::variant<proof, refusal> answer(const challenge& from);
  [[nodiscard]] const introduction& ours() const noexcept { return ours_; }
  [[nodiscard]] const introduction& peer() const noexcept { return theirs_; }
  [[nodiscard]] bool has_proved() const noexcept { return has_proved_; }

private:
  introduction ours_;
  introduction theirs_;
  const credentials* keys_;
  bool has_proved_ = false;
};

/// The side that is connected to. Used once.
class callee {
public:
  callee(introduction ours, const credentials* keys) : ours_(std::move(ours)), keys_(keys) {}

  [[nodiscard]] std::variant<challenge, refusal> answer(const hello& from);
  /// None: `peer` is who it says that it is.
  [[nodiscard]] std::optional<refusal> check(const proof& from) const;
  [[nodiscard]] const introduction& ours() const noexcept { return ours_; }
  [[nodiscard]] const introduction& peer() const noexcept { return theirs_; }

private:
  introduction ours_;
  introduction theirs_;
  const credentials* keys_;
};

} // namespace holdfast::links
