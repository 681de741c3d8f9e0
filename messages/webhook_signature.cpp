#include "messages/webhook_signature.hpp"

#include "messages/assert.hpp"
#include "messages/digest.hpp"
#include "messages/limits.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

namespace holdfast {

namespace {

struct signature_parts {
  std::string_view time; ///< as it was signed
  std::int64_t seconds = 0;
  std::vector<std::string_view> signatures;
};

std::string hex_of(const sha256_bytes& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string signature_of(std::string_view time, std::string_view body, const secret& key) {
  std::string signed_text;
  signed_text.reserve(time.size() + 1 + body.size());
  signed_text.append(time).append(".").append(body);
  sha256_bytes made{};
  unsigned length = 0;
  const auto clear = key.reveal();
  const auto* done = HMAC(EVP_sha256(), clear.data(), static_cast<int>(clear.size()),
                          reinterpret_cast<const unsigned char*>(signed_text.data()),
                          signed_text.size(), made.data(), &length);
  HF_ASSERT(done != nullptr && length == made.size());
  return hex_of(made);
}

/// Seconds since 1970 in their shortest form. Twelve digits reach far enough for any clock.
std::optional<std::int64_t> parse_seconds(std::string_view digits) {
  std::int64_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || digits.size() > 12 || value < 0)
    return std::nullopt;
  return value;
}

/// Members that are not known are passed over, for schemes to come.
std::optional<signature_parts> parse(std::string_view header) {
  if (header.empty() || header.size() > limits::webhook_signature_bytes_max)
    return std::nullopt;
  signature_parts parts;
  while (!header.empty()) {
    const auto comma = header.find(',');
    auto member = header.substr(0, comma);
    header.remove_prefix(comma == header.npos ? header.size() : comma + 1);
    while (member.starts_with(' '))
      member.remove_prefix(1);
    if (member.starts_with("t=")) {
      if (!parts.time.empty())
        return std::nullopt;
      parts.time = member.substr(2);
    } else if (member.starts_with("v1=")) {
      parts.signatures.push_back(member.substr(3));
    }
  }
  const auto seconds = parse_seconds(parts.time);
  if (!seconds || parts.signatures.empty()
      || parts.signatures.size() > limits::webhook_signatures_max)
    return std::nullopt;
  parts.seconds = *seconds;
  return parts;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::int64_t seconds_of(timestamp at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

} // namespace

signature_verdict check_webhook(std::string_view header, std::string_view body,
                                const secret& key, timestamp now) {
  HF_ASSERT(!key.empty());
  const auto parts = parse(header);
  if (!parts)
    return signature_verdict::malformed;
  const auto ours = signature_of(parts->time, body, key);
  bool matches = false;
  for (const auto given : parts->signatures)
    matches = equal_in_constant_time(given, ours) || matches;
  if (!matches)
    return signature_verdict::forged;
  const auto skew_s = std::abs(seconds_of(now) - parts->seconds);
  return skew_s <= limits::webhook_skew_s_max ? signature_verdict::good
                                              : signature_verdict::stale;
}

std::string sign_webhook(std::string_view body, const secret& key, timestamp at) {
  const auto time = std::to_string(seconds_of(at));
  return "t=" + time + ",v1=" + signature_of(time, body, key);
}

} // namespace holdfast
