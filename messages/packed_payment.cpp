#include "messages/packed_payment.hpp"

#include "messages/assert.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace holdfast {

namespace {

// Both ways go through `visit`, which names every member once: a member more or less, and it
// doesn't compile.

template <class Archive, class Payment>
void visit_payment(Archive& with, Payment& subject) {
  auto& [id, merchant, status, settlement, unit, amount, captured, refunded, disputed, mode,
         card, token, reference, description, region, metadata, idempotency_key, route,
         route_reasons, acquirer, attempts, operations, disputes, decline, expires_at,
         next_action_at, created_at, updated_at] = subject;
  with(id, merchant, status, settlement, unit, amount, captured, refunded, disputed, mode, card,
       token, reference, description, region, metadata, idempotency_key, route, route_reasons,
       acquirer, attempts, operations, disputes, decline, expires_at, next_action_at,
       created_at, updated_at);
}

template <class Archive, class Attempt>
void visit_attempt(Archive& with, Attempt& one) {
  auto& [number, gateway, status, started_at, gateway_reference, tries, next_try_at, reason,
         last_heard, decline, escalated] = one;
  with(number, gateway, status, started_at, gateway_reference, tries, next_try_at, reason,
       last_heard, decline, escalated);
}

template <class Archive, class Operation>
void visit_operation(Archive& with, Operation& one) {
  auto& [kind, status, ordinal, id, amount, final, tries, next_try_at, reason, idempotency_key,
         gateway_reference, refusal_code, created_at, escalated] = one;
  with(kind, status, ordinal, id, amount, final, tries, next_try_at, reason, idempotency_key,
       gateway_reference, refusal_code, created_at, escalated);
}

template <class Archive, class Dispute>
void visit_dispute(Archive& with, Dispute& one) {
  auto& [id, ordinal, status, gateway, gateway_dispute, amount, reserved, fee, reason, evidence,
         opened_at, closed_at] = one;
  with(id, ordinal, status, gateway, gateway_dispute, amount, reserved, fee, reason, evidence,
       opened_at, closed_at);
}

template <class Archive, class Card>
void visit_card(Archive& with, Card& one) {
  auto& [brand, last4, exp_month, exp_year] = one;
  with(brand, last4, exp_month, exp_year);
}

template <class Archive, class Value>
void visit(Archive& with, Value& value) {
  using type = std::remove_const_t<Value>;
  if constexpr (std::is_same_v<type, payment>)
    visit_payment(with, value);
  else if constexpr (std::is_same_v<type, attempt>)
    visit_attempt(with, value);
  else if constexpr (std::is_same_v<type, operation>)
    visit_operation(with, value);
  else if constexpr (std::is_same_v<type, dispute>)
    visit_dispute(with, value);
  else if constexpr (std::is_same_v<type, card_summary>)
    visit_card(with, value);
  else { // decline_info, dispute_note, a pair of metadata
    auto& [first, second] = value;
    with(first, second);
  }
}

/// Lengths are a byte as a rule.
constexpr std::size_t long_length = 255;

class packer {
public:
  explicit packer(std::string& to) : to_(to) {}

  template <class... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }

private:
  template <class Value>
  void put(const Value& value) {
    if constexpr (std::is_trivially_copyable_v<Value>)
      put_bytes(&value, sizeof value);
    else
      visit(*this, value);
  }

  void put(const std::string& text) {
    put_length(text.size());
    put_bytes(text.data(), text.size());
  }

  template <class Value>
  void put(const std::vector<Value>& values) {
    put_length(values.size());
    for (const auto& one : values)
      put(one);
  }

  void put(const std::optional<decline_info>& value) {
    put(value.has_value());
    if (value)
      put(*value);
  }

  void put_length(std::size_t length) {
    put(static_cast<std::uint8_t>(std::min(length, long_length)));
    if (length >= long_length)
      put(length);
  }

  void put_bytes(const void* from, std::size_t size) {
    to_.append(static_cast<const char*>(from), size);
  }

  std::string& to_;
};

class unpacker {
public:
  explicit unpacker(std::string_view from) : from_(from) {}

  [[nodiscard]] bool is_at_end() const noexcept { return from_.empty(); }

  template <class... Values>
  void operator()(Values&... values) {
    (take(values), ...);
  }

private:
  template <class Value>
  void take(Value& value) {
    if constexpr (std::is_trivially_copyable_v<Value>)
      std::memcpy(static_cast<void*>(&value), take_bytes(sizeof value).data(), sizeof value);
    else
      visit(*this, value);
  }

  void take(std::string& text) { text = take_bytes(take_length()); }

  template <class Value>
  void take(std::vector<Value>& values) {
    values.resize(take_length());
    for (auto& one : values)
      take(one);
  }

  void take(std::optional<decline_info>& value) {
    bool is_there = false;
    take(is_there);
    if (is_there)
      take(value.emplace());
  }

  [[nodiscard]] std::size_t take_length() {
    std::uint8_t shorter = 0;
    take(shorter);
    std::size_t length = shorter;
    if (length == long_length)
      take(length);
    return length;
  }

  [[nodiscard]] std::string_view take_bytes(std::size_t size) {
    HF_ASSERT(size <= from_.size());
    const auto bytes = from_.substr(0, size);
    from_.remove_prefix(size);
    return bytes;
  }

  std::string_view from_;
};

} // namespace

packed_payment::packed_payment(const payment& subject) {
  thread_local std::string buffer; // So that the bytes take as much as they need, and no more.
  buffer.clear();
  packer{buffer}(subject);
  size_ = buffer.size();
  bytes_.reset(new char[size_]);
  std::ranges::copy(buffer, bytes_.get());
}

payment packed_payment::unpack() const {
  payment subject;
  unpacker from{{bytes_.get(), size_}};
  from(subject);
  HF_ASSERT(from.is_at_end());
  return subject;
}

} // namespace holdfast
