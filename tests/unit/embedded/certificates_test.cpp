// The private authority: OpenSSL itself must find its certificates in order, and only those.
#include "runtime/embedded/certificates.hpp"

#include <boost/test/unit_test.hpp>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace embedded = holdfast::embedded;
using holdfast::errc;

namespace {

using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;

certificate_ptr parsed(const std::string& pem) {
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  certificate_ptr found{PEM_read_bio_X509(in, nullptr, nullptr, nullptr), &X509_free};
  BIO_free(in);
  BOOST_REQUIRE(found);
  return found;
}

embedded::authority an_authority() {
  return embedded::make_authority("holdfast test", 30).value();
}

/// OpenSSL's verdict on a node's certificate, for the given purpose.
int verdict(const embedded::authority& by, const std::string& pem, int purpose) {
  const auto root = parsed(by.certificate_pem);
  const auto leaf = parsed(pem);
  X509_STORE* trusted = X509_STORE_new();
  X509_STORE_add_cert(trusted, root.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, trusted, leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context);
  const int code = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(trusted);
  return code;
}

errc code_of(const holdfast::expected<embedded::identity>& result) {
  BOOST_REQUIRE(!result);
  return result.error().code;
}

} // namespace

BOOST_AUTO_TEST_SUITE(certificates)

BOOST_AUTO_TEST_CASE(a_node_may_be_either_end_of_a_link) {
  const auto by = an_authority();
  const auto node = embedded::issue(by, "node-1", {}, 10).value();
  BOOST_TEST(verdict(by, node.certificate_pem, X509_PURPOSE_SSL_SERVER) == X509_V_OK);
  BOOST_TEST(verdict(by, node.certificate_pem, X509_PURPOSE_SSL_CLIENT) == X509_V_OK);
  BOOST_TEST(embedded::has_issued(by, node.certificate_pem));
}

BOOST_AUTO_TEST_CASE(another_authority_of_the_same_name_does_not_vouch_for_it) {
  const auto node = embedded::issue(an_authority(), "node-1", {}, 10).value();
  const auto other = an_authority();
  BOOST_TEST(verdict(other, node.certificate_pem, X509_PURPOSE_SSL_SERVER) != X509_V_OK);
  BOOST_TEST(!embedded::has_issued(other, node.certificate_pem));
}

BOOST_AUTO_TEST_CASE(a_node_is_no_authority) {
  const auto by = an_authority();
  const auto node = embedded::issue(by, "node-1", {}, 10).value();
  const auto made = embedded::issue({node.certificate_pem, node.key_pem}, "node-2", {}, 10);
  BOOST_TEST((code_of(made) == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(a_certificate_names_the_node_and_its_hosts) {
  const auto by = an_authority();
  const auto made =
    embedded::issue(by, "node-1", {"db-host.internal", "10.0.0.1", "::1", "node-1"}, 10);
  const auto leaf = parsed(made.value().certificate_pem);
  const auto is_host = [&](const char* name) {
    return X509_check_host(leaf.get(), name, 0, 0, nullptr) == 1;
  };
  const auto is_address = [&](const char* text) {
    return X509_check_ip_asc(leaf.get(), text, 0) == 1;
  };
  BOOST_TEST(is_host("node-1"));
  BOOST_TEST(is_host("db-host.internal"));
  BOOST_TEST(!is_host("node-2"));
  BOOST_TEST(is_address("10.0.0.1"));
  BOOST_TEST(is_address("::1"));
  BOOST_TEST(!is_address("10.0.0.2"));
  char name[65] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(leaf.get()), NID_commonName, name,
                            sizeof name);
  BOOST_TEST(name == "node-1");
}

BOOST_AUTO_TEST_CASE(two_nodes_share_neither_key_nor_serial_number) {
  const auto by = an_authority();
  const auto one = embedded::issue(by, "node-1", {}, 10).value();
  const auto two = embedded::issue(by, "node-1", {}, 10).value();
  BOOST_TEST(one.key_pem != two.key_pem);
  BOOST_TEST(ASN1_INTEGER_cmp(X509_get0_serialNumber(parsed(one.certificate_pem).get()),
                              X509_get0_serialNumber(parsed(two.certificate_pem).get()))
             != 0);
}

BOOST_AUTO_TEST_CASE(a_certificate_does_not_outlive_its_authority) {
  const auto by = an_authority();
  const auto node = embedded::issue(by, "node-1", {}, 400).value();
  BOOST_TEST((embedded::valid_until(node.certificate_pem).value()
              == embedded::valid_until(by.certificate_pem).value()));
}

BOOST_AUTO_TEST_CASE(a_certificate_that_has_lapsed_is_refused_for_that) {
  const auto by = an_authority();
  const auto node = embedded::issue(by, "node-1", {}, -1).value();
  BOOST_TEST(
    (embedded::valid_until(node.certificate_pem).value() < holdfast::wall_clock_now()));
  BOOST_TEST(verdict(by, node.certificate_pem, X509_PURPOSE_SSL_SERVER)
             == X509_V_ERR_CERT_HAS_EXPIRED);
}

BOOST_AUTO_TEST_CASE(names_that_could_be_misread_are_refused) {
  const auto by = an_authority();
  for (const auto* id : {"", "node 1", "node-1,DNS:node-2", "a\nb"})
    BOOST_TEST((code_of(embedded::issue(by, id, {}, 10)) == errc::invalid_argument));
  BOOST_TEST(
    (code_of(embedded::issue(by, std::string(65, 'n'), {}, 10)) == errc::invalid_argument));
  for (const auto* host : {"", "a b", "10.0.0.1:8090", "http://node-1"})
    BOOST_TEST((code_of(embedded::issue(by, "node-1", {host}, 10)) == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(files_that_are_not_an_authority_are_told_apart) {
  const auto by = an_authority();
  const auto other = an_authority();
  const auto mixed = embedded::issue({by.certificate_pem, other.key_pem}, "node-1", {}, 10);
  BOOST_TEST((code_of(mixed) == errc::invalid_argument));
  BOOST_TEST(mixed.error().detail.find("does not belong") != std::string::npos);
  BOOST_TEST((code_of(embedded::issue({"nonsense", by.key_pem}, "node-1", {}, 10))
              == errc::invalid_argument));
  BOOST_TEST((code_of(embedded::issue({by.certificate_pem, ""}, "node-1", {}, 10))
              == errc::invalid_argument));
  BOOST_TEST(!embedded::valid_until("nonsense"));
}

BOOST_AUTO_TEST_SUITE_END()
