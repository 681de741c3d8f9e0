#include "runtime/demo/reading.hpp"

#include "messages/limits.hpp"
#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace holdfast::demo {

namespace {

constexpr milliseconds page_limit{30'000};
constexpr std::size_t records_page = 1'000;

} // namespace

expected<void> for_each_record(const std::string& sandbox_url, std::int64_t after,
                               const std::function<void(sandbox_record)>& take) {
  const client::json_client sandbox{sandbox_url};
  for (;;) {
    const auto page = sandbox.text("/sandbox/records?after=" + std::to_string(after)
                                     + "&limit=" + std::to_string(records_page),
                                   page_limit);
    if (!page)
      return page.error();
    std::string_view rest = *page;
    const auto before = after;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      if (end > 0) {
        auto record = parse_record(rest.substr(0, end));
        if (!record)
          return make_error(errc::unavailable, record.error().detail);
        after = record->seq;
        take(std::move(*record));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (after == before)
      return {};
  }
}

expected<std::vector<sandbox_record>> read_records(const std::string& sandbox_url,
                                                   std::int64_t after) {
  std::vector<sandbox_record> records;
  auto read = for_each_record(sandbox_url, after,
                              [&](sandbox_record one) { records.push_back(std::move(one)); });
  if (!read)
    return read.error();
  return records;
}

expected<std::vector<payment_seen>> read_payments(const std::string& http_url,
                                                  const std::string& api_key) {
  const client::json_client merchant{http_url, api_key};
  const auto rows = merchant.all_pages("/v1/payments", limits::ctl_rows_max);
  if (!rows)
    return rows.error();
  std::vector<payment_seen> payments;
  for (const auto& row : *rows) {
    const auto& object = row.as_object();
    payments.push_back({client::string_at(object, "id"), client::string_at(object, "status"),
                        client::string_at(object, "currency"),
                        client::integer_at(object, "amount"),
                        client::integer_at(object, "amount_captured"),
                        client::integer_at(object, "amount_refunded")});
  }
  return payments;
}

} // namespace holdfast::demo
