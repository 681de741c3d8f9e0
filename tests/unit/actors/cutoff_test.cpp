// When a merchant's day ends: around the days on which clocks are changed above all.
#include "actors/merchant/cutoff.hpp"

#include "tests/unit/actors/fixtures.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast::merchants {

namespace {

using namespace std::chrono_literals;
using tests::at;

settlement_terms terms_of(const char* zone, const char* cutoff) {
  settlement_terms terms;
  terms.zone = zone;
  terms.cutoff = parse_time_of_day(cutoff).value();
  return terms;
}

/// The cut-offs after `now`, as text.
std::vector<std::string> next_of(const settlement_terms& terms, timestamp now, int count) {
  std::vector<std::string> texts;
  for (; count > 0; --count) {
    now = next_cutoff(terms, now);
    texts.push_back(to_rfc3339(now).substr(0, 16));
  }
  return texts;
}

struct days {
  const char* what;
  const char* zone;
  const char* cutoff;
  const char* now;
  std::vector<std::string> next;
};

const std::vector<days>& tables() {
  static const std::vector<days> all{
    {"plain days",
     "UTC",
     "23:30",
     "2026-11-23T12:00:00Z",
     {"2026-11-23T23:30", "2026-11-24T23:30", "2026-11-25T23:30"}},
    {"over the year's end",
     "UTC",
     "00:00",
     "2026-12-31T12:00:00Z",
     {"2027-01-01T00:00", "2027-01-02T00:00"}},
    {"on a leap day",
     "UTC",
     "12:00",
     "2028-02-28T12:00:00Z",
     {"2028-02-29T12:00", "2028-03-01T12:00"}},
    {"Berlin jumps over 02:30",
     "Europe/Berlin",
     "02:30",
     "2026-03-27T12:00:00Z",
     {"2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"}},
    {"Berlin has 02:30 twice",
     "Europe/Berlin",
     "02:30",
     "2026-10-23T12:00:00Z",
     {"2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"}},
    {"Berlin's evenings around the jump",
     "Europe/Berlin",
     "23:30",
     "2026-03-28T12:00:00Z",
     {"2026-03-28T22:30", "2026-03-29T21:30", "2026-03-30T21:30"}},
    {"New York jumps over 02:30",
     "America/New_York",
     "02:30",
     "2026-03-06T12:00:00Z",
     {"2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"}},
    {"New York has 01:30 twice",
     "America/New_York",
     "01:30",
     "2026-10-30T12:00:00Z",
     {"2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"}},
    {"the first moment of the gap",
     "Europe/Berlin",
     "02:00",
     "2026-03-28T12:00:00Z",
     {"2026-03-29T01:00", "2026-03-30T00:00"}},
    {"the first moment after the gap",
     "Europe/Berlin",
     "03:00",
     "2026-03-28T12:00:00Z",
     {"2026-03-29T01:00", "2026-03-30T01:00"}},
    {"a gap at midnight",
     "America/Sao_Paulo",
     "00:00",
     "2018-11-03T12:00:00Z",
     {"2018-11-04T03:00", "2018-11-05T02:00"}},
    {"a day that never was",
     "Pacific/Apia",
     "12:00",
     "2011-12-29T12:00:00Z",
     {"2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"}},
  };
  return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(merchant_cutoff)

BOOST_AUTO_TEST_CASE(cutoffs_follow_the_local_clock) {
  for (const auto& one : tables())
    BOOST_TEST_CONTEXT(one.what) {
      const auto terms = terms_of(one.zone, one.cutoff);
      const auto next = next_of(terms, at(one.now), static_cast<int>(one.next.size()));
      BOOST_TEST(next == one.next, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(between_the_two_half_past_twos_the_first_was_the_cutoff) {
  const auto terms = terms_of("Europe/Berlin", "02:30");
  const auto first = at("2026-10-25T00:30:00Z");
  const auto second = first + 1h;
  BOOST_CHECK(last_cutoff(terms, second - 1us) == first);
  BOOST_CHECK(last_cutoff(terms, second) == first);
  BOOST_CHECK(last_cutoff(terms, second + 12h) == first);
}

BOOST_AUTO_TEST_CASE(the_moment_itself_belongs_to_the_cutoff_that_has_come) {
  const auto terms = terms_of("UTC", "23:30");
  const auto moment = at("2026-11-23T23:30:00Z");
  BOOST_CHECK(last_cutoff(terms, moment) == moment);
  BOOST_CHECK(next_cutoff(terms, moment) == moment + 24h);
  BOOST_CHECK(next_cutoff(terms, moment - 1us) == moment);
  BOOST_CHECK(last_cutoff(terms, moment - 1us) == moment - 24h);
}

BOOST_AUTO_TEST_CASE(last_and_next_enclose_every_moment_of_a_year) {
  for (const char* zone : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                           "Australia/Lord_Howe", "Pacific/Kiritimati"}) {
    for (const char* cutoff : {"00:00", "01:30", "02:30", "03:00", "23:59"}) {
      const auto terms = terms_of(zone, cutoff);
      BOOST_TEST_CONTEXT(zone << ' ' << cutoff) {
        for (auto now = at("2026-01-01T00:00:00Z"); now < at("2027-01-01T00:00:00Z");
             now += 7h + 13min) {
          const auto last = last_cutoff(terms, now);
          const auto next = next_cutoff(terms, now);
          BOOST_TEST_REQUIRE((last <= now && now < next), to_rfc3339(now));
          BOOST_TEST_REQUIRE((next - last >= 22h && next - last <= 26h), to_rfc3339(now));
          BOOST_TEST_REQUIRE((next_cutoff(terms, last) == next), to_rfc3339(now));
          BOOST_TEST_REQUIRE((last_cutoff(terms, next - 1us) == last), to_rfc3339(now));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(times_of_day_are_read_strictly) {
  BOOST_TEST(parse_time_of_day("00:00").value().count() == 0);
  BOOST_TEST(parse_time_of_day("23:59").value().count() == 23 * 60 + 59);
  BOOST_TEST(parse_time_of_day("09:05").value().count() == 9 * 60 + 5);
  for (const char* text : {"", "24:00", "12:60", "9:05", "09:5", "0905", "09.05", "-1:00",
                           "+1:00", " 9:05", "09:05 ", "09:05:00", "ab:cd", "1a:00", "10:0x"}) {
    const auto wrong = parse_time_of_day(text);
    BOOST_TEST_REQUIRE(!wrong, text);
    BOOST_CHECK(wrong.error().code == errc::invalid_argument);
  }
}

BOOST_AUTO_TEST_CASE(zones_are_known_by_their_iana_names) {
  for (const char* zone : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"})
    BOOST_TEST(check_zone(zone).has_value(), zone);
  for (const char* zone :
       {"", "Berlin", "europe/berlin", "Europe/Atlantis", "../etc/passwd", "CEST", "+01:00"})
    BOOST_TEST(!check_zone(zone), zone);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::merchants
