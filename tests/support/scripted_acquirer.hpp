// An acquirer at the network's edge that does what a test says, and remembers what it was asked
// to pay: honest and idempotent like a real one, but its answers can be lost.
#pragma once

#include "actors/acquirer/client.hpp"
#include "tests/support/scripted_gateway.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::test {

/// Thread-safe.
class scripted_acquirer final : public acquirers::client {
public:
  /// Hears of every call before it takes effect and says what becomes of it. May block: it runs
  /// on a thread of the call's own.
  using script = std::function<fate(const acquirers::acquirer_request&)>;

  scripted_acquirer(std::string name, script decide)
    : name_(std::move(name)),
      decide_(std::move(decide)) {}
  ~scripted_acquirer() override;

  void send(acquirers::acquirer_request request, milliseconds timeout,
            std::function<void(acquirers::acquirer_answer)> done) override;

  /// In how many of the files that it took there is this item (`cap_…` or `ref_…`).
  [[nodiscard]] std::size_t files_with(const std::string& item) const;
  /// Captures less refunds of all files that it took.
  [[nodiscard]] minor_units taken() const;
  /// What is wrong with what it was sent: files that it can't read, or one id for two contents.
  [[nodiscard]] std::vector<std::string> complaints() const;

private:
  acquirers::acquirer_answer perform(const acquirers::acquirer_request& request);
  acquirers::acquirer_answer take(const acquirers::acquirer_request& request);
  [[nodiscard]] acquirers::acquirer_answer results_of(const std::string& content,
                                                      const std::string& file) const;
  [[nodiscard]] acquirers::acquirer_answer report_of(const std::string& content,
                                                     const std::string& file) const;

  const std::string name_;
  script decide_;
  mutable std::mutex mutex_;
  std::vector<std::thread> calls_under_way_;
  std::map<std::string, std::string> files_; ///< content by id
  std::vector<std::string> complaints_;
};

} // namespace holdfast::test
