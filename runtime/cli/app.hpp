// The `holdfast` command line.
#pragma once

namespace holdfast::cli {

/// Runs one command to its end. 0: done; 1: the work failed; 2: usage or configuration.
int run(int argc, char** argv);

} // namespace holdfast::cli
