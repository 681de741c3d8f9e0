#include "runtime/telemetry/metrics.hpp"

#include "messages/limits.hpp"
#include "runtime/telemetry/instruments.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <thread>

namespace holdfast::telemetry {

BOOST_AUTO_TEST_SUITE(telemetry_metrics)

BOOST_AUTO_TEST_CASE(writes_the_text_format) {
  registry metrics;
  constexpr std::array bounds{0.5, 1.0};
  metrics.counter_of("b_total", "Things.", {{"kind", "a\"b\\c\n"}}).add(3);
  auto& times = metrics.histogram_of("a_seconds", "Times.", bounds, {{"route", "/x"}});
  times.observe(0.5);
  times.observe(0.75);
  times.observe(7);
  metrics.watch("c", "Depth.", "gauge", {}, [] { return 2.5; });
  BOOST_TEST(metrics.render()
             == "# HELP a_seconds Times.\n"
                "# TYPE a_seconds histogram\n"
                "a_seconds_bucket{route=\"/x\",le=\"0.5\"} 1\n"
                "a_seconds_bucket{route=\"/x\",le=\"1\"} 2\n"
                "a_seconds_bucket{route=\"/x\",le=\"+Inf\"} 3\n"
                "a_seconds_sum{route=\"/x\"} 8.25\n"
                "a_seconds_count{route=\"/x\"} 3\n"
                "# HELP b_total Things.\n"
                "# TYPE b_total counter\n"
                "b_total{kind=\"a\\\"b\\\\c\\n\"} 3\n"
                "# HELP c Depth.\n"
                "# TYPE c gauge\n"
                "c 2.5\n");
}

BOOST_AUTO_TEST_CASE(gives_the_same_series_for_the_same_labels) {
  registry metrics;
  auto& one = metrics.counter_of("n_total", "N.", {{"a", "1"}});
  BOOST_TEST(&one == &metrics.counter_of("n_total", "N.", {{"a", "1"}}));
  BOOST_TEST(&one != &metrics.counter_of("n_total", "N.", {{"a", "2"}}));
}

BOOST_AUTO_TEST_CASE(bounds_the_number_of_series) {
  registry metrics;
  for (std::size_t i = 0; i < 2 * limits::metric_series_max; ++i)
    metrics.counter_of("n_total", "N.", {{"i", std::to_string(i)}}).add();
  const auto text = metrics.render();
  BOOST_TEST(
    text.find("n_total{overflow=\"true\"} " + std::to_string(limits::metric_series_max) + "\n")
    != std::string::npos);
}

BOOST_AUTO_TEST_CASE(loses_nothing_among_threads) {
  registry metrics;
  const auto observe = observe_requests(metrics, "public");
  const auto work = [&observe] {
    for (int i = 0; i < 10'000; ++i)
      observe("POST", "/v1/payments", 201, 1'000);
  };
  std::thread first{work};
  std::thread second{work};
  first.join();
  second.join();
  observe("BREW", "", 404, 10);
  const auto text = metrics.render();
  BOOST_TEST(text.find("holdfast_http_requests_total{port=\"public\",method=\"POST\","
                       "route=\"/v1/payments\",status=\"201\"} 20000\n")
             != std::string::npos);
  BOOST_TEST(text.find("method=\"other\",route=\"unmatched\",status=\"404\"} 1\n")
             != std::string::npos);
  BOOST_TEST(text.find("duration_seconds_count{port=\"public\",method=\"POST\","
                       "route=\"/v1/payments\",status=\"201\"} 20000\n")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(shows_the_journal) {
  registry metrics;
  const auto observe = observe_commits(metrics);
  observe(64, 3'600);
  watch_journal(metrics, [] {
    storage::journal_figures figures;
    figures.events = 7;
    figures.queued = 3;
    return figures;
  });
  const auto text = metrics.render();
  BOOST_TEST(text.find("holdfast_journal_commit_writes_bucket{le=\"64\"} 1\n")
             != std::string::npos);
  BOOST_TEST(text.find("holdfast_journal_commit_writes_bucket{le=\"32\"} 0\n")
             != std::string::npos);
  BOOST_TEST(text.find("holdfast_journal_commit_duration_seconds_sum 0.0036\n")
             != std::string::npos);
  BOOST_TEST(text.find("holdfast_journal_events_total 7\n") != std::string::npos);
  BOOST_TEST(text.find("holdfast_journal_queue_depth 3\n") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::telemetry
