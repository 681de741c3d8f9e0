// `micro_bench NAME COUNT` runs one step of a payment's way COUNT times, so that a tool can
// count its instructions (tools/budgets, by valgrind); `micro_bench` alone lists the steps, a
// line each: name, payments that a run serves, meaning.
#include "messages/thread_name.hpp"
#include "tests/bench/operation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string>

namespace {

using holdfast::bench::operation;

constexpr std::uint64_t warm_up = 100;

} // namespace

/// What is counted is what happens within this function. Its name is told to the tool, so it is
/// a plain one, and the compiler must not dissolve it.
extern "C" [[gnu::noinline]] void measured_step(operation& step) {
  step.run();
}

namespace holdfast::bench {

namespace {

constexpr std::array<operation_facts, 7> operations{{
  {"parse", "from the bytes of POST /v1/payments to the command for its shard", 1,
   make_parsing},
  {"key", "a new idempotency key: looked up, registered, answered", 1, make_key_use},
  {"replay", "a known idempotency key: looked up", 1, make_key_look_up},
  {"decide", "the core: creation and approval, decided, posted and applied", 1, make_deciding},
  {"encode", "both writes' events and details as Protobuf", 1, make_encoding},
  {"write", "both writes in a transaction's statements, of 64 payments each",
   payments_a_transaction, make_transaction_writing},
  {"respond", "from the approved payment to the bytes of its answer", 1, make_responding},
}};

void list() {
  for (const auto& each : operations)
    std::printf("%s\t%llu\t%s\n", std::string{each.name}.c_str(),
                static_cast<unsigned long long>(each.payments),
                std::string{each.meaning}.c_str());
}

int measure(const operation_facts& what, std::uint64_t count) {
  const auto step = what.make();
  for (std::uint64_t i = 0; i < warm_up; ++i) {
    step->prepare(i);
    step->run();
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    step->prepare(warm_up + i);
    measured_step(*step);
  }
  return 0;
}

} // namespace

std::span<const operation_facts> all_operations() noexcept {
  return operations;
}

} // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  holdfast::name_this_thread("micro_bench");
  if (argc == 1) {
    list();
    return 0;
  }
  const auto steps = all_operations();
  const auto found =
    std::ranges::find(steps, std::string_view{argv[1]}, &operation_facts::name);
  const std::string_view number{argc == 3 ? argv[2] : ""};
  std::uint64_t count = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), count);
  if (found == steps.end() || count == 0 || read.ptr != number.data() + number.size()) {
    std::fprintf(stderr, "usage: micro_bench [NAME COUNT]; without, lists the names\n");
    return 2;
  }
  return measure(*found, count);
}
