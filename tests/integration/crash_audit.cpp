#include "tests/integration/crash_audit.hpp"

#include "runtime/client/json_members.hpp"
#include "runtime/demo/reading.hpp"

#include <boost/json.hpp>

#include <stdexcept>
#include <unordered_map>

namespace holdfast::test {

namespace json = boost::json;

namespace {

constexpr milliseconds proof_limit{600'000};

constexpr const char* totals =
  "select count(*), coalesce(sum(captured), 0)::int8, coalesce(sum(refunded), 0)::int8 "
  "from payment where merchant_id <> all(array[";
constexpr const char* open_questions =
  "select (select count(*) from payment where status in (1, 2)),"
  " (select count(*) from payment_operation where status = 1),"
  " (select count(*) from idempotency_key where status is null)";

/// A payment that nobody asked for, or one that differs from what its merchant takes for
/// granted.
void compare_books(const std::vector<demo::payment_seen>& seen,
                   const std::vector<expected_payment>& books,
                   std::vector<std::string>& differences) {
  std::unordered_map<std::string_view, const expected_payment*> expected;
  for (const auto& one : books) {
    if (!expected.emplace(one.id, &one).second)
      differences.push_back(one.id + ": two keys were answered with this payment");
  }
  for (const auto& payment : seen) {
    const auto found = expected.find(payment.id);
    if (found == expected.end()) {
      differences.push_back(payment.id + ": is " + payment.status
                            + ", and no client was ever told of it: a key has two payments");
      continue;
    }
    const auto& one = *found->second;
    if (payment.captured != one.captured || payment.refunded != one.refunded)
      differences.push_back(payment.id + ": captured " + std::to_string(payment.captured)
                            + " and refunded " + std::to_string(payment.refunded)
                            + ", by its merchant's books " + std::to_string(one.captured)
                            + " and " + std::to_string(one.refunded));
  }
}

} // namespace

void crash_audit::admit(merchant_id stranger, std::string api_key) {
  strange_api_keys_.push_back(std::move(api_key));
  strangers_ += (strangers_.empty() ? "'" : ", '") + to_hex(stranger.value) + '\'';
}

std::vector<std::string> crash_audit::open_accounts() {
  new_api_keys_.clear();
  // One merchant in one shard, and one whose payments are spread over as many as can be.
  for (const int stripes : {1, site_.stripes_max()})
    new_api_keys_.push_back(site_.new_merchant(stripes));
  api_keys_.insert(api_keys_.end(), new_api_keys_.begin(), new_api_keys_.end());
  return new_api_keys_;
}

std::vector<std::string> crash_audit::check(const crash_load& load) {
  answers_.insert(answers_.end(), load.answers().begin(), load.answers().end());
  books_.insert(books_.end(), load.payments().begin(), load.payments().end());
  // What strangers have asked for is of any time, and so is compared as a whole.
  auto differences = strange_api_keys_.empty()
                       ? compare(load.answers(), new_api_keys_, load.payments(), records_seen_)
                       : compare(answers_, api_keys_, books_, 0);
  differences.insert(differences.end(), load.complaints().begin(), load.complaints().end());
  check_totals(differences);
  return differences;
}

std::vector<std::string> crash_audit::check_all() {
  auto differences = compare(answers_, api_keys_, books_, 0);
  check_totals(differences);
  return differences;
}

std::vector<std::string> crash_audit::compare(const std::vector<demo::acknowledged>& answers,
                                              const std::vector<std::string>& api_keys,
                                              const std::vector<expected_payment>& books,
                                              std::int64_t records_after) {
  demo::audit_input input;
  input.answers = answers;
  const auto ours = read_payments(api_keys);
  input.payments = read_payments(strange_api_keys_);
  input.payments.insert(input.payments.end(), ours.begin(), ours.end());
  auto records = demo::read_records(site_.sandbox(), records_after);
  if (!records)
    throw std::runtime_error{"records can't be read: " + records.error().detail};
  input.records = std::move(*records);
  if (!input.records.empty())
    records_seen_ = input.records.back().seq;
  std::vector<std::string> differences;
  for (const auto& [payment, what] : demo::audit(input).differences)
    differences.push_back(payment + ": " + what);
  compare_books(ours, books, differences);
  return differences;
}

std::vector<demo::payment_seen> crash_audit::read_payments(
  const std::vector<std::string>& api_keys) const {
  std::vector<demo::payment_seen> all;
  for (const auto& api_key : api_keys) {
    const auto payments = demo::read_payments(site_.entrances().front(), api_key);
    if (!payments)
      throw std::runtime_error{"payments can't be read: " + payments.error().detail};
    all.insert(all.end(), payments->begin(), payments->end());
  }
  return all;
}

void crash_audit::check_totals(std::vector<std::string>& differences) const {
  std::int64_t captured = 0;
  std::int64_t refunded = 0;
  for (const auto& one : books_) {
    captured += one.captured;
    refunded += one.refunded;
  }
  const std::vector<std::int64_t> expected{static_cast<std::int64_t>(books_.size()), captured,
                                           refunded};
  const auto found = site_.numbers((totals + strangers_ + "]::uuid[])").c_str(), 3);
  constexpr const char* names[] = {"payments", "captured", "refunded"};
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] != expected[i])
      differences.push_back(std::string{"in all, "} + names[i] + " is "
                            + std::to_string(found[i]) + " in the database and "
                            + std::to_string(expected[i]) + " by the merchants' books");
  }
  constexpr const char* questions[] = {"payments", "operations", "idempotency keys"};
  const auto open = site_.numbers(open_questions, 3);
  for (std::size_t i = 0; i < open.size(); ++i) {
    if (open[i] != 0)
      differences.push_back(std::to_string(open[i]) + ' ' + questions[i]
                            + " still have no outcome");
  }
}

std::vector<std::string> crash_audit::prove_ledger() {
  const auto proof = site_.operators().get("/admin/v1/ledger/verify", proof_limit);
  if (!proof)
    return {"the ledger can't be verified: " + proof.error().detail};
  if (client::flag_at(proof->as_object(), "holds"))
    return {};
  return {"the ledger does not hold: " + json::serialize(*proof)};
}

} // namespace holdfast::test
