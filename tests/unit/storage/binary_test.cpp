// PostgreSQL's binary form of what goes into a statement: each array byte by byte.
#include "storage/binary.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

using namespace holdfast;
using namespace holdfast::storage;
using namespace std::string_literals;

namespace {

/// Dimensions, whether there are nulls, the element's type; then the length and the first
/// index.
std::string header(char has_null, std::string_view type, char count) {
  return "\0\0\0\1\0\0\0"s + has_null + "\0\0"s + std::string{type} + "\0\0\0"s + count
         + "\0\0\0\1"s;
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_binary)

BOOST_AUTO_TEST_CASE(numbers_are_big_endian_and_preceded_by_their_length) {
  array_of<std::int16_t> small;
  small.add(0x0102);
  BOOST_TEST(small.take() == header(0, "\0\x15"s, 1) + "\0\0\0\2\1\2"s);
  array_of<std::int32_t> medium;
  medium.add(-2);
  BOOST_TEST(medium.take() == header(0, "\0\x17"s, 1) + "\0\0\0\4\xff\xff\xff\xfe"s);
  array_of<std::int64_t> large;
  large.add(0x0102030405060708);
  large.add(1);
  BOOST_TEST(large.take()
             == header(0, "\0\x14"s, 2) + "\0\0\0\10\1\2\3\4\5\6\7\10"s
                  + "\0\0\0\10\0\0\0\0\0\0\0\1"s);
  array_of<bool> flags;
  flags.add(true);
  BOOST_TEST(flags.take() == header(0, "\0\x10"s, 1) + "\0\0\0\1\1"s);
}

BOOST_AUTO_TEST_CASE(a_time_counts_from_the_year_2000) {
  array_of<timestamp> times;
  times.add(timestamp{std::chrono::seconds{946'684'800}} + std::chrono::microseconds{5});
  BOOST_TEST(times.take() == header(0, "\4\xa0"s, 1) + "\0\0\0\10\0\0\0\0\0\0\0\5"s);
}

BOOST_AUTO_TEST_CASE(texts_bytes_and_ids_stay_as_they_are) {
  array_of<std::string_view> texts;
  texts.add("ab");
  texts.add("");
  BOOST_TEST(texts.take() == header(0, "\0\x19"s, 2) + "\0\0\0\2ab\0\0\0\0"s);
  array_of<byte_view> bytes;
  bytes.add({"\0x"s});
  BOOST_TEST(bytes.take() == header(0, "\0\x11"s, 1) + "\0\0\0\2\0x"s);
  uuid id;
  id.bytes.back() = 7;
  array_of<uuid> ids;
  ids.add(id);
  BOOST_TEST(ids.take()
             == header(0, "\xb\x86"s, 1) + "\0\0\0\x10"s + std::string(15, '\0') + '\7');
}

BOOST_AUTO_TEST_CASE(a_null_has_no_bytes_and_is_announced) {
  array_of<std::int16_t> column;
  column.add_optional(std::nullopt);
  column.add_optional(std::int16_t{3});
  BOOST_TEST(column.size() == 2U);
  BOOST_TEST(column.take() == header(1, "\0\x15"s, 2) + "\xff\xff\xff\xff\0\0\0\2\0\3"s);
}

BOOST_AUTO_TEST_CASE(an_empty_array_has_no_dimension) {
  array_of<std::int16_t> none;
  BOOST_TEST(none.take() == "\0\0\0\0\0\0\0\0\0\0\0\x15"s);
}

BOOST_AUTO_TEST_CASE(a_long_array_is_whole) {
  array_of<std::string_view> column;
  std::string expected;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::string text(i * 37, static_cast<char>('a' + i % 26));
    column.add(text);
    const auto size = text.size();
    expected += "\0\0"s + static_cast<char>(size >> 8) + static_cast<char>(size & 0xff) + text;
  }
  BOOST_TEST(column.take() == header(0, "\0\x19"s, 100) + expected);
}

BOOST_AUTO_TEST_SUITE_END()
