// Assertions of our own logic. They are on in every build: a runtime that moves money stops
// rather than goes on in a state that it believes impossible. Never assert input, peers or
// rows.
#pragma once

namespace holdfast {

/// Logs where our own logic contradicted itself and aborts the process. The restart
/// rebuilds everything from the journal.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

} // namespace holdfast

#define HF_ASSERT(expression)          \
  ((expression) ? static_cast<void>(0) \
                : ::holdfast::assertion_failed(#expression, __FILE__, __LINE__))
