// The steps of a payment's way through a node, each made so that it can be repeated and its
// instructions be counted: what comes before and after it is not part of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace holdfast::bench {

class operation {
public:
  virtual ~operation() = default;
  /// What the step finds; not counted.
  virtual void prepare(std::uint64_t number) = 0;
  /// The step itself. Asserts that it has done its work.
  virtual void run() = 0;
};

struct operation_facts {
  std::string_view name;
  std::string_view meaning;
  std::uint64_t payments = 1; ///< that one run serves
  std::unique_ptr<operation> (*make)();
};

[[nodiscard]] std::span<const operation_facts> all_operations() noexcept;

// Each in the source that is named for where the step belongs. http_operations.cpp:
[[nodiscard]] std::unique_ptr<operation> make_parsing();
[[nodiscard]] std::unique_ptr<operation> make_responding();
// core_operations.cpp:
[[nodiscard]] std::unique_ptr<operation> make_key_use();
[[nodiscard]] std::unique_ptr<operation> make_key_look_up();
[[nodiscard]] std::unique_ptr<operation> make_deciding();
[[nodiscard]] std::unique_ptr<operation> make_encoding();
// journal_operations.cpp:
inline constexpr std::uint64_t payments_a_transaction = 64;
[[nodiscard]] std::unique_ptr<operation> make_transaction_writing();

} // namespace holdfast::bench
