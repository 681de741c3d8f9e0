#include "messages/digest.hpp"

#include <boost/test/unit_test.hpp>

namespace holdfast {

BOOST_AUTO_TEST_SUITE(messages_digest)

BOOST_AUTO_TEST_CASE(is_sha_256_as_everybody_computes_it) {
  BOOST_TEST(sha256_hex("abc")
             == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(sha256_hex("")
             == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

BOOST_AUTO_TEST_CASE(parts_count_as_the_text_that_they_make) {
  const auto whole = sha256("POST\n/v1/payments\n{}");
  BOOST_TEST((sha256_of({"POST", "\n", "/v1/payments", "\n", "{}"}) == whole));
  BOOST_TEST((sha256_of({}) == sha256("")));
  // Nothing of one digest is left for the next.
  BOOST_TEST((sha256("POST\n/v1/payments\n{}") == whole));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
