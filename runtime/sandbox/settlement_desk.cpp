#include "runtime/sandbox/settlement_desk.hpp"

#include "messages/assert.hpp"
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/sandbox/files.hpp"
#include "runtime/sandbox/settlement_csv.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace holdfast::sandbox {

namespace asio = boost::asio;

namespace {

using steady_time = std::chrono::steady_clock::time_point;

constexpr std::string_view raw_suffix = ".csv";
constexpr std::string_view results_suffix = ".results.json";
constexpr std::string_view report_suffix = ".report.csv";

struct item_outcome {
  fact_status status = fact_status::accepted;
  reason code = reason::none;
};

/// What the acquirer says to an item, from what the gateway knows of the operation. The same
/// for the same file, however often it is asked.
item_outcome judge(const file_item& item, const gateway_book* gateway,
                   std::uint32_t file_number, bool put_off) {
  const auto* known = gateway ? gateway->find_operation(item.operation_reference) : nullptr;
  if (!known || known->code != reason::none || known->kind != item.kind)
    return {fact_status::rejected, reason::unknown_operation};
  if (known->amount_minor != item.amount_minor || known->of->currency_code() != item.currency
      || gateway->gateway_reference(*known->of) != item.gateway_reference)
    return {fact_status::rejected, reason::mismatch};
  if (known->settled_by != 0 && known->settled_by != file_number)
    return {fact_status::rejected, reason::already_settled};
  if (put_off)
    return {fact_status::deferred, reason::half_accepted};
  if (item.kind != fact_kind::capture)
    return {};
  switch (quirk_of_amount(item.amount_minor)) {
    case settlement_quirk::rejected: return {fact_status::rejected, reason::rejected_by_issuer};
    case settlement_quirk::deferred_once:
      if (known->deferred_by == 0 || known->deferred_by == file_number)
        return {fact_status::deferred, reason::try_next_file};
      return {};
    default: return {};
  }
}

/// What settlement does to an accepted item. What was left out of a report once is in the next
/// one, if it is sent again.
settlement_quirk quirk_of(const file_item& item, const gateway_book& gateway,
                          std::uint32_t file_number) {
  if (item.kind != fact_kind::capture)
    return settlement_quirk::none;
  const auto quirk = quirk_of_amount(item.amount_minor);
  const auto missed_by = gateway.find_operation(item.operation_reference)->missed_by;
  if (quirk == settlement_quirk::missing && missed_by != 0 && missed_by != file_number)
    return settlement_quirk::none;
  return quirk;
}

/// Makes a good report contradict itself on its way out; the one on the disk stays good.
void spoil_report(std::string& report, const settlement_faults& faults) {
  const auto trailer = report.rfind("\nT,") + 1;
  if (faults.malformed_line)
    report.insert(trailer, "S,0,nobody,nobody.c1,nobody,capture,,,,EUR\n");
  if (faults.bad_totals)
    report.insert(report.size() - 1, "9");
  if (faults.cut_off)
    report.resize(report.rfind("\nT,") + 1);
}

} // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  const int done =
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  HF_ASSERT(done == 1);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text.push_back(digits[digest[i] >> 4]);
    text.push_back(digits[digest[i] & 15]);
  }
  return text;
}

/// One file on its way to its results and report.
class settlement_desk::job {
public:
  /// Errors: invalid_argument (as `parse_file`).
  static expected<std::unique_ptr<job>> parse(std::string_view acquirer, std::string_view id,
                                              std::string bytes) {
    std::unique_ptr<job> made{new job{std::move(bytes)}};
    auto items = parse_file(made->bytes_, acquirer, id);
    if (!items)
      return items.error();
    made->items_ = std::move(*items);
    return made;
  }

  /// Work may begin at `due`.
  void schedule(settlement_file& file, steady_time due, const settlement_faults& faults) {
    file_ = &file;
    faults_ = faults;
    due_ = due;
    report_.emplace(file.acquirer, file.id, wall_clock_now());
    results_.begin_object().member("status", "done").member("file_id", file.id);
    results_.key("items").begin_array();
  }

  [[nodiscard]] settlement_file& file() const noexcept { return *file_; }
  [[nodiscard]] steady_time due() const noexcept { return due_; }
  [[nodiscard]] bool is_through() const noexcept { return next_ == items_.size(); }

  /// Works through some items: facts are staged in `log`, to be committed by the caller.
  void work(sandbox_state& state, fact_log& log) {
    const auto end = std::min(items_.size(), next_ + limits::sandbox_items_a_turn);
    const auto now = wall_clock_now();
    for (; next_ < end; ++next_) {
      const auto& item = items_[next_];
      const bool put_off = faults_.half_accept && next_ % 2 == 1;
      const auto outcome =
        judge(item, state.find_gateway(item.gateway), file_->number, put_off);
      write_result(item, outcome);
      if (faults_.answer_twice)
        write_result(item, outcome);
      record(item, outcome, state, log, now);
    }
  }

  std::string take_results() {
    results_.end_array().end_object();
    return results_.take();
  }
  std::string take_report() {
    if (faults_.unknown_line && !items_.empty()) {
      auto stranger = items_.front();
      stranger.operation_reference = "nobody.c1";
      stranger.gateway_reference = "nobody";
      report_->add(stranger, stranger.amount_minor);
    }
    return report_->finish();
  }

private:
  void write_result(const file_item& item, const item_outcome& outcome) {
    results_.begin_object().member("operation", item.operation);
    results_.member("operation_reference", item.operation_reference);
    results_.member("result", to_string(outcome.status));
    if (outcome.code != reason::none)
      results_.member("code", to_string(outcome.code));
    results_.end_object();
  }

  void record(const file_item& item, const item_outcome& outcome, sandbox_state& state,
              fact_log& log, timestamp now) {
    fact entry;
    entry.kind = fact_kind::settle;
    entry.status = outcome.status;
    entry.code = to_string(outcome.code);
    entry.gateway = item.gateway;
    entry.reference = item.operation_reference;
    entry.gateway_reference = item.gateway_reference;
    entry.amount_minor = item.amount_minor;
    entry.currency = item.currency;
    entry.acquirer = file_->acquirer;
    entry.file = file_->id;
    entry.line = static_cast<std::int64_t>(next_ + 1);
    // A restart repeats the work of before: then the facts are there, and only the report is
    // not.
    const bool is_new = entry.line > file_->lines_recorded;
    const auto add = [&] {
      if (!is_new)
        return;
      log.stage(entry, now);
      const auto applied = state.apply(entry);
      HF_ASSERT(applied.has_value());
    };
    if (outcome.status != fact_status::accepted)
      return add();
    const auto quirk = quirk_of(item, *state.find_gateway(item.gateway), file_->number);
    entry.effective = quirk != settlement_quirk::missing;
    if (quirk == settlement_quirk::missing)
      entry.code = to_string(reason::missing_from_report);
    if (quirk == settlement_quirk::amount_changed) {
      entry.code = to_string(reason::amount_changed);
      entry.amount_minor += 100;
    }
    add();
    if (entry.effective)
      report(item, entry.amount_minor);
    if (quirk == settlement_quirk::doubled) {
      entry.effective = false;
      entry.repeat = true;
      entry.code = to_string(reason::reported_twice);
      add();
      report_->add(item, entry.amount_minor);
    }
  }

  /// The first line may be told to be somebody else's, or in a currency that was not asked for.
  void report(file_item item, std::int64_t amount_minor) {
    if (!std::exchange(has_reported_, true)) {
      if (faults_.wrong_currency)
        item.currency = item.currency == "USD" ? "EUR" : "USD";
      if (faults_.wrong_merchant)
        item.merchant = "mer_00000000000000000000000000000001";
    }
    report_->add(item, amount_minor);
  }

  explicit job(std::string bytes) : bytes_(std::move(bytes)) {}

  const std::string bytes_;
  settlement_file* file_ = nullptr;
  steady_time due_;
  std::vector<file_item> items_;
  std::size_t next_ = 0;
  settlement_faults faults_;
  bool has_reported_ = false;
  json_writer results_;
  std::optional<report_writer> report_;
};

struct settlement_desk::parts {
  explicit parts(asio::io_context& context) : io(context), timer(context) {}

  asio::io_context& io;
  asio::steady_timer timer;
  /// Turns that are queued when the desk goes find this gone.
  std::shared_ptr<char> alive = std::make_shared<char>();
};

settlement_desk::settlement_desk(asio::io_context& io, sandbox_state& state, fact_log& log,
                                 std::string folder)
  : parts_(std::make_unique<parts>(io)),
    state_(state),
    log_(log),
    folder_(std::move(folder)) {}

settlement_desk::~settlement_desk() = default;

std::string settlement_desk::path_of(std::string_view acquirer, std::string_view id,
                                     std::string_view suffix) const {
  return std::string{folder_}.append("/").append(acquirer).append("@").append(id).append(
    suffix);
}

expected<void> settlement_desk::resume() {
  for (const auto& file : state_.files()) {
    if (file->is_done)
      continue;
    auto bytes = read_file(path_of(file->acquirer, file->id, raw_suffix));
    if (!bytes)
      return bytes.error();
    auto made = job::parse(file->acquirer, file->id, std::move(*bytes));
    if (!made)
      return make_error(errc::corrupt, "a stored settlement file: " + made.error().detail);
    (*made)->schedule(*file, std::chrono::steady_clock::now(), {});
    jobs_.push_back(std::move(*made));
  }
  start_next();
  return {};
}

expected<reception> settlement_desk::put(std::string_view acquirer, std::string_view id,
                                         std::string_view sha256, std::string_view bytes,
                                         milliseconds delay, const settlement_faults& faults) {
  if (const auto* known = state_.find_file(acquirer, id)) {
    if (known->sha256 == sha256)
      return reception::known_already;
    return make_error(errc::conflict, "the file id was used for other bytes");
  }
  if (state_.files().size() >= limits::sandbox_files_max)
    return make_error(errc::overloaded, "the sandbox has no room for another file");
  auto made = job::parse(acquirer, id, std::string{bytes});
  if (!made)
    return made.error();
  auto stored = write_file(path_of(acquirer, id, raw_suffix), bytes, durability::synced);
  if (!stored)
    return stored.error();

  fact entry;
  entry.kind = fact_kind::file;
  entry.status = fact_status::accepted;
  entry.acquirer = acquirer;
  entry.file = id;
  entry.sha256 = sha256;
  log_.stage(entry, wall_clock_now());
  auto committed = log_.commit();
  if (!committed)
    return committed.error();
  const auto applied = state_.apply(entry);
  HF_ASSERT(applied.has_value());

  (*made)->schedule(*state_.find_file(acquirer, id), std::chrono::steady_clock::now() + delay,
                    faults);
  jobs_.push_back(std::move(*made));
  if (jobs_.size() == 1)
    start_next();
  return reception::accepted;
}

expected<std::string> settlement_desk::read(std::string_view acquirer, std::string_view id,
                                            document which, const settlement_faults& faults) {
  const auto* file = state_.find_file(acquirer, id);
  if (!file)
    return make_error(errc::not_found, "there is no such file");
  if (!file->is_done || faults.never_answer)
    return make_error(errc::invalid_state, "it is not done yet");
  auto content = read_file(
    path_of(acquirer, id, which == document::results ? results_suffix : report_suffix));
  if (content && which == document::report)
    spoil_report(*content, faults);
  return content;
}

void settlement_desk::start_next() {
  if (jobs_.empty())
    return;
  parts_->timer.expires_at(jobs_.front()->due());
  parts_->timer.async_wait(
    [this, alive = std::weak_ptr{parts_->alive}](const boost::system::error_code& aborted) {
      if (!aborted && !alive.expired())
        work();
    });
}

/// One turn. The next one is posted behind whatever else the io_context has to do.
void settlement_desk::work() {
  auto& front = *jobs_.front();
  front.work(state_, log_);
  auto outcome = log_.commit();
  if (outcome && front.is_through())
    outcome = finish(front);
  if (!outcome) {
    // A disk that takes nothing more: the facts and the memory differ now, so nothing is
    // settled any more until a restart has rebuilt the one from the other.
    spdlog::error("sandbox: settlement stops until a restart: {}", outcome.error().detail);
    jobs_.clear();
    return;
  }
  if (front.file().is_done) {
    jobs_.pop_front();
    return start_next();
  }
  asio::post(parts_->io, [this, alive = std::weak_ptr{parts_->alive}] {
    if (!alive.expired())
      work();
  });
}

expected<void> settlement_desk::finish(job& done) {
  auto& file = done.file();
  auto written = write_file(path_of(file.acquirer, file.id, results_suffix),
                            done.take_results(), durability::written);
  if (written)
    written = write_file(path_of(file.acquirer, file.id, report_suffix), done.take_report(),
                         durability::written);
  if (!written)
    return written;
  fact entry;
  entry.kind = fact_kind::report;
  entry.status = fact_status::accepted;
  entry.acquirer = file.acquirer;
  entry.file = file.id;
  log_.stage(entry, wall_clock_now());
  auto committed = log_.commit();
  if (!committed)
    return committed;
  return state_.apply(entry);
}

} // namespace holdfast::sandbox
