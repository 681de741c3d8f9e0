// What others say, fit for a row that people read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast {

/// At most so many bytes of it, in ASCII: whatever is not printable is a question mark. Text
/// that is cut or taken over as it came may be none that the database accepts.
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max);

} // namespace holdfast
