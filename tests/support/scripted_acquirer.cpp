#include "tests/support/scripted_acquirer.hpp"

#include "messages/digest.hpp"
#include "runtime/sandbox/settlement_csv.hpp"

#include <algorithm>

namespace holdfast::test {

using acquirers::acquirer_answer;
using acquirers::acquirer_request;
using acquirers::acquirer_verb;
using acquirers::acquirer_verdict;

scripted_acquirer::~scripted_acquirer() {
  // No call can come any more: whoever sends holds this acquirer.
  for (auto& call : calls_under_way_)
    call.join();
}

void scripted_acquirer::send(acquirer_request request, milliseconds,
                             std::function<void(acquirer_answer)> done) {
  std::unique_lock guard{mutex_};
  calls_under_way_.emplace_back([this, request = std::move(request), done = std::move(done)] {
    const auto chosen = decide_(request);
    acquirer_answer answer;
    if (chosen != fate::drop_request)
      answer = perform(request);
    if (chosen != fate::answer)
      answer = {};
    done(std::move(answer));
  });
}

acquirer_answer scripted_acquirer::perform(const acquirer_request& request) {
  std::unique_lock guard{mutex_};
  if (request.verb == acquirer_verb::submit_file)
    return take(request);
  const auto found = files_.find(request.file);
  if (found == files_.end())
    return {};
  return request.verb == acquirer_verb::fetch_results ? results_of(found->second, request.file)
                                                      : report_of(found->second, request.file);
}

acquirer_answer scripted_acquirer::take(const acquirer_request& request) {
  const auto items = sandbox::parse_file(request.content, name_, request.file);
  if (!items)
    complaints_.push_back(request.file + ": " + items.error().detail);
  else if (request.sha256 != sha256_hex(request.content))
    complaints_.push_back(request.file + ": the digest is not that of the content");
  else if (files_.try_emplace(request.file, request.content).first->second != request.content)
    complaints_.push_back(request.file + " came with another content before");
  else
    return {acquirer_verdict::done, {}, {}};
  return {acquirer_verdict::refused, complaints_.back(), {}};
}

acquirer_answer scripted_acquirer::results_of(const std::string& content,
                                              const std::string& file) const {
  acquirer_answer answer{acquirer_verdict::done, "all accepted", {}};
  for (const auto& item : sandbox::parse_file(content, name_, file).value()) {
    const auto digits = item.operation.substr(item.operation.find('_') + 1);
    answer.results.push_back({parse_hex(digits).value(), storage::item_verdict::accepted, {}});
  }
  return answer;
}

acquirer_answer scripted_acquirer::report_of(const std::string& content,
                                             const std::string& file) const {
  sandbox::report_writer report{name_, file, wall_clock_now()};
  for (const auto& item : sandbox::parse_file(content, name_, file).value())
    report.add(item, item.amount_minor);
  return {acquirer_verdict::done, report.finish(), {}};
}

std::size_t scripted_acquirer::files_with(const std::string& item) const {
  std::unique_lock guard{mutex_};
  return static_cast<std::size_t>(std::ranges::count_if(
    files_, [&](const auto& file) { return file.second.find(item) != std::string::npos; }));
}

minor_units scripted_acquirer::taken() const {
  std::unique_lock guard{mutex_};
  std::int64_t sum = 0;
  for (const auto& [file, content] : files_)
    for (const auto& item : sandbox::parse_file(content, name_, file).value())
      sum += item.kind == sandbox::fact_kind::refund ? -item.amount_minor : item.amount_minor;
  return minor_units{sum};
}

std::vector<std::string> scripted_acquirer::complaints() const {
  std::unique_lock guard{mutex_};
  return complaints_;
}

} // namespace holdfast::test
