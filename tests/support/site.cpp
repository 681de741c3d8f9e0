#include "tests/support/site.hpp"

#include "runtime/client/json_members.hpp"
#include "runtime/embedded/folder.hpp"
#include "storage/connection.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <stdexcept>

namespace holdfast::test {

namespace json = boost::json;

namespace {

constexpr milliseconds query_limit{60'000};
constexpr std::size_t log_lines_shown = 40;

} // namespace

std::string site::new_merchant(int stripes) const {
  const auto made = operators().post(
    "/admin/v1/merchants",
    json::object{{"name", "Crash"}, {"currency", "EUR"}, {"stripes", stripes}});
  if (!made)
    throw std::runtime_error{"no new merchant: " + made.error().detail + '\n' + logs()};
  return client::string_at(made->as_object(), "api_key");
}

std::vector<std::int64_t> read_numbers(const std::string& database_url,
                                       const std::string& query, int columns) {
  const auto deadline = std::chrono::steady_clock::now() + query_limit;
  auto db = storage::connection::open(database_url, "test", deadline);
  if (!db)
    throw std::runtime_error{"the database can't be asked: " + db.error().detail};
  const auto found = (*db)->query(storage::sql{"test_numbers", query.c_str()}, {}, deadline);
  if (!found || found->rows() != 1)
    throw std::runtime_error{"the database does not answer " + query};
  storage::row from{*found, 0};
  std::vector<std::int64_t> values;
  for (int i = 0; i < columns; ++i)
    values.push_back(from.int8());
  return values;
}

std::string last_words(const std::filesystem::path& log) {
  return "--- " + log.filename().string() + '\n' + embedded::last_lines(log, log_lines_shown);
}

} // namespace holdfast::test
