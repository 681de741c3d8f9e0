#include "runtime/api/payment_counts.hpp"

#include "messages/limits.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <mutex>
#include <optional>

namespace holdfast::api {

namespace {

std::string render(const std::vector<storage::status_count>& counts) {
  constexpr std::string_view name = "holdfast_payments";
  std::string text;
  telemetry::append_head(text, name, "Payments by status and currency.", "gauge");
  for (const auto& count : counts)
    telemetry::append_sample(text, name,
                             {{"status", count.status}, {"currency", count.unit.code()}},
                             static_cast<double>(count.payments));
  return text;
}

} // namespace

struct payment_counts::state {
  explicit state(storage::store& given) : store(given) {}

  storage::store& store;
  std::mutex mutex;
  std::string text;
  std::optional<timestamp> asked_at;
  bool asking = false;
};

payment_counts::payment_counts(storage::store& store)
  : state_(std::make_shared<state>(store)) {}

void payment_counts::read(timestamp now, std::function<void(std::string)> done) {
  std::optional<std::string> known;
  {
    const std::lock_guard lock{state_->mutex};
    const auto& asked_at = state_->asked_at;
    const bool fresh = asked_at && now >= *asked_at
                       && now - *asked_at < milliseconds{limits::status_count_age_ms_max};
    if (fresh || state_->asking) {
      known = state_->text;
    } else {
      state_->asking = true;
      state_->asked_at = now;
    }
  }
  if (known)
    return done(std::move(*known));
  state_->store.count_by_status([kept = state_, done = std::move(done)](
                                  expected<std::vector<storage::status_count>> counts) {
    std::string text;
    {
      const std::lock_guard lock{kept->mutex};
      kept->asking = false;
      if (counts)
        kept->text = render(*counts);
      text = kept->text;
    }
    done(std::move(text));
  });
}

} // namespace holdfast::api
