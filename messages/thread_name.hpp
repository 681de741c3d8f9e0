// Names for threads, so that `top -H`, a debugger and a profile tell what each of them does.
#pragma once

#include <string_view>

namespace holdfast {

/// Names the calling thread, and with it the threads that it starts and that take no name of
/// their own. The main thread's name is the process's. The kernel keeps 15 bytes.
void name_this_thread(std::string_view name) noexcept;

} // namespace holdfast
