#include "tests/integration/cluster/wide_merchants.hpp"

#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;

namespace {

/// A new merchant's home is drawn: after so many none was drawn in one half by bad luck alone.
constexpr int draws_max = 60;

} // namespace

wide_merchants::wide_merchants(const cluster& on) {
  const auto ranges = config::layout_of(on.config_of(0)).ranges();
  std::vector<std::optional<merchant>> found(ranges.size());
  for (int draw = 0;
       draw < draws_max
       && !std::ranges::all_of(found, [](const auto& one) { return one.has_value(); });
       ++draw) {
    const auto made = on.operators().post(
      "/admin/v1/merchants",
      json::object{{"name", "Wide"}, {"currency", "EUR"}, {"stripes", ranges[0].size()}});
    if (!made)
      throw std::runtime_error{"no new merchant: " + made.error().detail + '\n' + on.logs()};
    const auto id = merchant_id::parse(client::string_at(made->as_object(), "id")).value();
    const auto range =
      std::ranges::find_if(ranges, [&](auto one) { return one.contains(id.shard()); });
    found[static_cast<std::size_t>(range - ranges.begin())] =
      merchant{id, client::string_at(made->as_object(), "api_key"), *range};
  }
  for (auto& one : found)
    merchants_.push_back(std::move(one.value()));
}

void wide_merchants::introduce(crash_audit& to) const {
  for (const auto& one : merchants_)
    to.admit(one.id, one.api_key);
}

const wide_merchants::merchant& wide_merchants::of(shard_number shard) const {
  return *std::ranges::find_if(merchants_,
                               [&](const auto& one) { return one.range.contains(shard); });
}

const std::string& wide_merchants::api_key(shard_number shard) const {
  return of(shard).api_key;
}

merchant_id wide_merchants::id(shard_number shard) const {
  return of(shard).id;
}

std::string wide_merchants::key_to(shard_number shard) {
  const auto& one = of(shard);
  for (;;) {
    auto key = "wide-" + std::to_string(++keys_);
    if (shard_of_key(one.id.shard(), one.range.size(), one.range, key) == shard)
      return key;
  }
}

} // namespace holdfast::test
