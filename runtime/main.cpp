// The program. Everything it can do is in runtime/cli.
#include "runtime/cli/app.hpp"

int main(int argc, char** argv) {
  return holdfast::cli::run(argc, argv);
}
