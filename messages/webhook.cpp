#include "messages/webhook.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace holdfast {

namespace {

constexpr std::array<std::pair<webhook_type, std::string_view>, 8> words{{
  {webhook_type::approved, "authorization.approved"},
  {webhook_type::declined, "authorization.declined"},
  {webhook_type::captured, "authorization.captured"},
  {webhook_type::refunded, "authorization.refunded"},
  {webhook_type::reversed, "authorization.reversed"},
  {webhook_type::dispute_opened, "dispute.opened"},
  {webhook_type::dispute_won, "dispute.won"},
  {webhook_type::dispute_lost, "dispute.lost"},
}};

std::optional<operation_kind> kind_of(char letter) noexcept {
  switch (letter) {
    case 'c': return operation_kind::capture;
    case 'r': return operation_kind::refund;
    case 'v': return operation_kind::void_hold;
    default: return std::nullopt;
  }
}

/// A decimal from 1 in its shortest form; none for anything else.
std::optional<std::uint32_t> parse_ordinal(std::string_view digits) noexcept {
  std::uint32_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value == 0 || digits.front() == '0')
    return std::nullopt;
  return value;
}

} // namespace

std::string_view to_string(webhook_type type) noexcept {
  for (const auto& [known, word] : words)
    if (known == type)
      return word;
  return "unknown";
}

std::optional<webhook_type> parse_webhook_type(std::string_view word) noexcept {
  for (const auto& [type, known] : words)
    if (known == word)
      return type;
  return std::nullopt;
}

std::string_view to_string(webhook_finding finding) noexcept {
  switch (finding) {
    case webhook_finding::asked: return "asked";
    case webhook_finding::agrees: return "agrees";
    case webhook_finding::contradicts: return "contradicts";
    case webhook_finding::applied: return "applied";
    case webhook_finding::unmatched: return "unmatched";
  }
  return "unknown";
}

expected<reference_parts> parse_reference(std::string_view text) {
  const auto dot = text.find('.');
  const auto wrong = [] {
    return make_error(errc::invalid_argument,
                      "expected a reference of ours: pay_….1, pay_….c1, pay_….r1 or pay_….v1");
  };
  if (dot == std::string_view::npos || dot + 1 == text.size())
    return wrong();
  const auto payment = payment_id::parse(text.substr(0, dot));
  if (!payment)
    return wrong();
  reference_parts parts;
  parts.payment = *payment;
  auto digits = text.substr(dot + 1);
  parts.operation = kind_of(digits.front());
  if (parts.operation)
    digits.remove_prefix(1);
  const auto ordinal = digits.empty() ? std::nullopt : parse_ordinal(digits);
  if (!ordinal)
    return wrong();
  (parts.operation ? parts.ordinal : parts.attempt) = *ordinal;
  return parts;
}

} // namespace holdfast
