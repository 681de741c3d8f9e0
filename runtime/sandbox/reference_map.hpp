// A map from our references to what is kept of them, for millions of entries.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace holdfast::sandbox {

struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

template <class Value>
using text_map = std::unordered_map<std::string, Value, text_hash, std::equal_to<>>;

/// Many small hash tables instead of a large one: a table that grows moves all its entries at
/// once, and with millions of them every request would wait for that. Addresses are stable.
template <class Value>
class reference_map {
public:
  using entry = typename text_map<Value>::value_type;

  [[nodiscard]] Value* find(std::string_view reference) {
    auto& table = table_of(reference);
    const auto found = table.find(reference);
    return found == table.end() ? nullptr : &found->second;
  }

  [[nodiscard]] const Value* find(std::string_view reference) const {
    return const_cast<reference_map*>(this)->find(reference);
  }

  /// The reference is not there yet.
  entry& insert(std::string_view reference, Value value) {
    ++size_;
    return *table_of(reference).emplace(std::string{reference}, std::move(value)).first;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  text_map<Value>& table_of(std::string_view reference) {
    // Other bits of the hash than those by which a table chooses its buckets.
    return tables_[(text_hash{}(reference) >> 48) % tables_.size()];
  }

  std::array<text_map<Value>, 256> tables_;
  std::size_t size_ = 0;
};

} // namespace holdfast::sandbox
