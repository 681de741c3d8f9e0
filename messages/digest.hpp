// SHA-256, the one digest of the project: file hashes, request fingerprints, the journal's
// chain.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace holdfast {

using sha256_bytes = std::array<std::uint8_t, 32>;

[[nodiscard]] sha256_bytes sha256(std::string_view data);
/// Of the parts one after the other.
[[nodiscard]] sha256_bytes sha256_of(std::initializer_list<std::string_view> parts);
/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view data);

} // namespace holdfast
