#include "runtime/bench/tally.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::bench {

namespace {

/// Sorts, and drops what is there twice. How many were dropped.
std::uint64_t make_unique(std::vector<payment_id>& ids) {
  std::ranges::sort(ids);
  const auto doubles = std::ranges::unique(ids);
  const auto dropped = static_cast<std::uint64_t>(doubles.size());
  ids.erase(doubles.begin(), doubles.end());
  return dropped;
}

std::uint64_t missing(const std::vector<payment_id>& wanted,
                      const std::vector<payment_id>& in) {
  std::vector<payment_id> absent;
  std::ranges::set_difference(wanted, in, std::back_inserter(absent));
  return absent.size();
}

class counter {
public:
  counter(evidence found, const expectation& wanted)
    : found_(std::move(found)),
      wanted_(wanted) {}

  tally run() {
    result_.acknowledged = found_.acknowledged.size();
    complain(make_unique(found_.acknowledged), "answers name a payment that another one names");
    count_database();
    count_sandbox();
    return std::move(result_);
  }

private:
  void complain(std::uint64_t number, const std::string& what) {
    if (number > 0)
      result_.differences.push_back(std::to_string(number) + ' ' + what);
  }

  void count_database() {
    set_stored_apart();
    for (const auto& row : found_.database) {
      if (row.status == wanted_.status)
        result_.database += row.payments;
      else
        complain(row.payments,
                 "payments of the database are " + row.status + ", not " + wanted_.status);
    }
    if (result_.database != result_.acknowledged)
      result_.differences.push_back(std::to_string(result_.acknowledged) + " acknowledged, "
                                    + std::to_string(result_.database) + " in the database");
  }

  void set_stored_apart() {
    auto left = wanted_.stored;
    for (auto& row : found_.database) {
      const auto known = row.status == "authorized" ? std::min(left, row.payments) : 0;
      row.payments -= known;
      left -= known;
    }
    complain(left, "payments that were stored before are not in the database");
  }

  void count_sandbox() {
    std::vector<payment_id> seen;
    std::uint64_t foreign = 0;
    for (const auto& record : found_.sandbox) {
      if (!is_evidence(record, wanted_))
        continue;
      ++result_.sandbox;
      if (const auto id = payment_id::parse(demo::payment_of(record.reference)))
        seen.push_back(*id);
      else
        ++foreign;
    }
    complain(foreign, "facts of the sandbox name no payment");
    complain(make_unique(seen), "payments have more than one effective " + wanted_.fact);
    complain(missing(found_.acknowledged, seen),
             "acknowledged payments have no effective " + wanted_.fact + " in the sandbox");
    complain(missing(seen, found_.acknowledged),
             "payments with an effective " + wanted_.fact + " were never acknowledged");
  }

  evidence found_;
  const expectation& wanted_;
  tally result_;
};

} // namespace

bool is_evidence(const demo::sandbox_record& one, const expectation& wanted) {
  return one.effective && one.kind == wanted.fact;
}

void add(tally& all, tally more) {
  all.acknowledged += more.acknowledged;
  all.database += more.database;
  all.sandbox += more.sandbox;
  std::ranges::move(more.differences, std::back_inserter(all.differences));
}

tally count(evidence found, const expectation& wanted) {
  return counter{std::move(found), wanted}.run();
}

} // namespace holdfast::bench
