// A simulated acquirer: it takes settlement files, answers item by item and reports what it has
// paid, each file once; how well it does so depends on the weather. What it has really paid is
// its own record.
#pragma once

#include "actors/acquirer/client.hpp"
#include "runtime/simulation/types.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::simulation {

class world;

class acquirer {
public:
  explicit acquirer(world& of) : world_(of) {}

  [[nodiscard]] acquirers::acquirer_answer handle(const acquirers::acquirer_request& asked);
  /// It takes its time, by days: no fault of ours if the file stays open.
  [[nodiscard]] bool is_late_with(const std::string& file) const;
  /// What its report of the file has paid out, net of its fees.
  [[nodiscard]] std::int64_t paid(const std::string& file) const;

private:
  struct line {
    std::string gateway_reference;
    std::string operation_reference;
    std::string merchant;
    std::string kind;
    std::string unit;
    std::int64_t amount = 0;
  };

  struct known_file {
    timestamp ready_at;
    std::vector<storage::item_result> results;
    std::string report;
    std::int64_t paid = 0;
  };

  [[nodiscard]] acquirers::acquirer_answer take(const acquirers::acquirer_request& asked);
  void take_item(const std::vector<std::string_view>& fields, known_file& into,
                 std::vector<line>& lines);
  [[nodiscard]] storage::item_verdict judge(const std::vector<std::string_view>& fields);
  void report_line(line made, std::vector<line>& lines);
  void write_report(const std::string& file, const std::vector<line>& lines, known_file& into);

  world& world_;
  std::map<std::string, known_file> files_;
};

} // namespace holdfast::simulation
