#include "runtime/sandbox/fact_log.hpp"

#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace holdfast::sandbox {

namespace {

const timestamp now = *parse_rfc3339("2026-11-23T12:00:00Z");

class fixture {
public:
  std::string path() const { return folder_.path() / "facts.ndjson"; }

  /// Opens the log and keeps the references of what it tells.
  expected<std::unique_ptr<fact_log>> open() {
    told.clear();
    return fact_log::open(path(), [this](const fact& entry) -> expected<void> {
      told.emplace_back(entry.reference);
      return {};
    });
  }

  std::string content() const {
    std::ifstream file{path()};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  std::vector<std::string> told;

private:
  test::temp_folder folder_;
};

void append(fact_log& log, const std::string& reference) {
  fact entry;
  entry.reference = reference;
  log.stage(entry, now);
}

void append_and_commit(fact_log& log, int count) {
  for (int i = 0; i < count; ++i)
    append(log, "pay_" + std::to_string(log.next_seq()));
  BOOST_REQUIRE(log.commit());
}

} // namespace

BOOST_AUTO_TEST_SUITE(sandbox_fact_log)

BOOST_AUTO_TEST_CASE(writes_a_fact_as_one_line_and_reads_it_back) {
  fact entry;
  entry.seq = 7;
  entry.at = now;
  entry.kind = fact_kind::capture;
  entry.status = fact_status::refused;
  entry.repeat = true;
  entry.final = true;
  entry.gateway = "alpha";
  entry.reference = "pay_1.c1";
  entry.gateway_reference = "alpha_1";
  entry.amount_minor = 1'000;
  entry.currency = "EUR";
  entry.code = "closed";
  entry.hold = "pay_1.1";
  std::string line;
  append_line(entry, line);
  BOOST_TEST(line == "{\"seq\":7,\"at\":\"2026-11-23T12:00:00.000000Z\",\"kind\":\"capture\","
                     "\"gateway\":\"alpha\",\"reference\":\"pay_1.c1\","
                     "\"gateway_reference\":\"alpha_1\",\"amount\":1000,\"currency\":\"EUR\","
                     "\"effective\":false,\"status\":\"refused\",\"code\":\"closed\","
                     "\"hold\":\"pay_1.1\",\"final\":true,\"repeat\":true}\n");
  stored_fact reader;
  line.pop_back();
  const auto read = reader.parse(line);
  BOOST_REQUIRE(read);
  std::string again;
  append_line(**read, again);
  BOOST_TEST(again == line + '\n');
}

BOOST_AUTO_TEST_CASE(refuses_lines_that_are_no_facts) {
  stored_fact reader;
  for (const char* line :
       {"", "x", "[]", "{}", R"({"seq":1,"at":"x","kind":"authorize"})",
        R"({"seq":"1","at":"2026-11-23T12:00:00Z","kind":"authorize","status":"approved"})"})
    BOOST_TEST((reader.parse(line).error().code == errc::corrupt), line);
}

BOOST_AUTO_TEST_CASE(tells_its_facts_in_order_when_it_is_opened) {
  fixture files;
  append_and_commit(**files.open(), 3);
  const auto log = files.open();
  BOOST_REQUIRE(log);
  BOOST_TEST(files.told == (std::vector<std::string>{"pay_1", "pay_2", "pay_3"}),
             boost::test_tools::per_element());
  BOOST_TEST((*log)->next_seq() == 4);
}

BOOST_AUTO_TEST_CASE(cuts_off_a_torn_last_line) {
  fixture files;
  append_and_commit(**files.open(), 2);
  const auto whole = files.content();
  std::ofstream{files.path(), std::ios::app} << R"({"seq":3,"at":"2026-)";
  BOOST_REQUIRE(files.open());
  BOOST_TEST(files.told.size() == 2u);
  BOOST_TEST(files.content() == whole);
}

BOOST_AUTO_TEST_CASE(does_not_go_on_after_a_corrupt_line) {
  fixture files;
  append_and_commit(**files.open(), 1);
  std::ofstream{files.path(), std::ios::app} << "nonsense\n";
  const auto log = files.open();
  BOOST_REQUIRE(!log);
  BOOST_TEST((log.error().code == errc::corrupt));
  BOOST_TEST(log.error().detail.find("line 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(does_not_go_on_after_a_gap) {
  fixture files;
  append_and_commit(**files.open(), 2);
  auto content = files.content();
  content.erase(0, content.find('\n') + 1);
  std::ofstream{files.path(), std::ios::trunc} << content;
  BOOST_TEST((files.open().error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(has_one_owner) {
  fixture files;
  const auto first = files.open();
  BOOST_TEST((files.open().error().code == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(reads_pages_from_any_place) {
  fixture files;
  const auto log = *files.open();
  append_and_commit(*log, 1'000);
  append_and_commit(*log, 37);
  for (const std::int64_t after : {0, 1, 255, 256, 257, 511, 512, 1'000, 1'036}) {
    const auto page = log->read(after, 10);
    BOOST_REQUIRE(page);
    const auto first = "{\"seq\":" + std::to_string(after + 1) + ',';
    BOOST_TEST(page->starts_with(first), after);
    const auto lines = std::count(page->begin(), page->end(), '\n');
    BOOST_TEST(lines == std::min<std::int64_t>(10, 1'037 - after));
  }
  BOOST_TEST(log->read(1'037, 10)->empty());
  BOOST_TEST(log->read(99'999, 10)->empty());
  BOOST_TEST(*log->read(-5, 100'000) == files.content());
}

BOOST_AUTO_TEST_CASE(shows_no_fact_before_it_is_committed) {
  fixture files;
  const auto log = *files.open();
  append(*log, "pay_1");
  BOOST_TEST(log->read(0, 10)->empty());
  BOOST_REQUIRE(log->commit());
  BOOST_TEST(!log->read(0, 10)->empty());
}

BOOST_AUTO_TEST_CASE(time_never_goes_back) {
  fixture files;
  const auto log = *files.open();
  fact entry;
  log->stage(entry, now);
  log->stage(entry, now - std::chrono::hours{1});
  BOOST_TEST((entry.at == now));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::sandbox
