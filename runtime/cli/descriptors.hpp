// Connections are file descriptors, and a shell's default is fewer than a server's limits.
#pragma once

namespace holdfast::cli {

/// Raises this process's limit on open files to what the system allows it. What a server may
/// then open is bounded by its own limits.
void raise_descriptor_limit() noexcept;

} // namespace holdfast::cli
