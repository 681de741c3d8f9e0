#include "runtime/embedded/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <string_view>

#include <arpa/inet.h>

namespace holdfast::embedded {

namespace {

struct releaser {
  void operator()(BIO* it) const noexcept { BIO_free(it); }
  void operator()(EVP_PKEY* it) const noexcept { EVP_PKEY_free(it); }
  void operator()(X509* it) const noexcept { X509_free(it); }
  void operator()(X509_EXTENSION* it) const noexcept { X509_EXTENSION_free(it); }
  void operator()(GENERAL_NAME* it) const noexcept { GENERAL_NAME_free(it); }
  void operator()(GENERAL_NAMES* it) const noexcept { GENERAL_NAMES_free(it); }
};

template <class T>
using owned = std::unique_ptr<T, releaser>;

constexpr std::size_t name_bytes_max = 64;  // of a common name (RFC 5280)
constexpr std::size_t host_bytes_max = 253; // of a DNS name
constexpr std::size_t serial_bytes = 16;
/// A peer's clock may be behind ours.
constexpr std::chrono::minutes backdated{10};
constexpr std::chrono::hours a_day{24};

error openssl_error(std::string_view what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return make_error(errc::internal, std::string{what} + ": " + text.data());
}

error bad(std::string detail) {
  ERR_clear_error();
  return make_error(errc::invalid_argument, std::move(detail));
}

owned<BIO> reading(const std::string& text) {
  return owned<BIO>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

owned<X509> read_certificate(const std::string& pem) {
  const auto in = reading(pem);
  return owned<X509>{in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr};
}

owned<EVP_PKEY> read_key(const std::string& pem) {
  // Never ask a terminal for the password of a key that has one.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const auto in = reading(pem);
  return owned<EVP_PKEY>{in ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr)
                            : nullptr};
}

std::string content(BIO* out) {
  char* text = nullptr;
  const auto length = BIO_get_mem_data(out, &text);
  return {text, static_cast<std::size_t>(std::max(length, 0L))};
}

/// Certificate and key as text; `T` is an authority or an identity.
template <class T>
expected<T> in_pem(X509* certificate, EVP_PKEY* key) {
  const owned<BIO> open{BIO_new(BIO_s_mem())};
  const owned<BIO> secret{BIO_new(BIO_s_secmem())};
  if (!open || !secret || PEM_write_bio_X509(open.get(), certificate) != 1
      || PEM_write_bio_PrivateKey(secret.get(), key, nullptr, nullptr, 0, nullptr, nullptr)
           != 1)
    return openssl_error("writing a certificate");
  return T{content(open.get()), content(secret.get())};
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, serial_bytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    return false;
  // Positive and never zero, as RFC 5280 wants it.
  random[0] = static_cast<unsigned char>((random[0] & 0x7F) | 0x40);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number{
    BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr), &BN_free};
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool set_common_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0)
         == 1;
}

struct extension {
  int kind;
  const char* value;
};

/// `issuer` is the certificate itself for one that signs itself.
bool add_extensions(X509* certificate, X509* issuer, std::initializer_list<extension> wanted) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  return std::ranges::all_of(wanted, [&](const extension& each) {
    const owned<X509_EXTENSION> made{
      X509V3_EXT_conf_nid(nullptr, &context, each.kind, each.value)};
    return made && X509_add_ext(certificate, made.get(), -1) == 1;
  });
}

struct fields {
  std::string name;
  timestamp from;
  timestamp until;
  const X509_NAME* issuer = nullptr; ///< null: its own
};

/// A certificate with all but its extensions and its signature.
owned<X509> draft(const fields& wanted, EVP_PKEY* key) {
  owned<X509> made{X509_new()};
  if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1 || !set_serial(made.get()))
    return nullptr;
  auto* subject = X509_get_subject_name(made.get());
  const auto* issuer = wanted.issuer ? wanted.issuer : subject;
  const auto seconds = [](timestamp at) { return std::chrono::system_clock::to_time_t(at); };
  const bool filled = set_common_name(subject, wanted.name)
                      && X509_set_issuer_name(made.get(), issuer) == 1
                      && ASN1_TIME_set(X509_getm_notBefore(made.get()), seconds(wanted.from))
                      && ASN1_TIME_set(X509_getm_notAfter(made.get()), seconds(wanted.until))
                      && X509_set_pubkey(made.get(), key) == 1;
  return filled ? std::move(made) : nullptr;
}

// -- names
// -----------------------------------------------------------------------------------------

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '_' || c == '.' || c == '*';
}

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> ignored{};
  return ::inet_pton(AF_INET, text.c_str(), ignored.data()) == 1
         || ::inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

owned<GENERAL_NAME> alternative_name(const std::string& text) {
  owned<GENERAL_NAME> name{GENERAL_NAME_new()};
  if (!name)
    return nullptr;
  if (is_address(text)) {
    auto* address = a2i_IPADDRESS(text.c_str());
    if (address)
      GENERAL_NAME_set0_value(name.get(), GEN_IPADD, address);
    return address ? std::move(name) : nullptr;
  }
  auto* host = ASN1_IA5STRING_new();
  if (!host)
    return nullptr;
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, host);
  return ASN1_STRING_set(host, text.data(), static_cast<int>(text.size())) == 1
           ? std::move(name)
           : nullptr;
}

bool add_alternative_names(X509* certificate, const std::vector<std::string>& texts) {
  const owned<GENERAL_NAMES> names{sk_GENERAL_NAME_new_null()};
  for (const auto& text : texts) {
    auto name = alternative_name(text);
    if (!names || !name || sk_GENERAL_NAME_push(names.get(), name.get()) <= 0)
      return false;
    static_cast<void>(name.release());
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0,
                           X509V3_ADD_DEFAULT)
         == 1;
}

/// The node's id and its hosts, each once.
expected<std::vector<std::string>> names_of(const std::string& node_id,
                                            const std::vector<std::string>& hosts) {
  std::vector<std::string> names{node_id};
  for (const auto& host : hosts) {
    const bool fine = is_address(host)
                      || (!host.empty() && host.size() <= host_bytes_max
                          && std::ranges::all_of(host, is_host_character));
    if (!fine)
      return bad("\"" + host + "\" is neither a host's name nor an address");
    if (std::ranges::find(names, host) == names.end())
      names.push_back(host);
  }
  return names;
}

// -- the authority
// ---------------------------------------------------------------------------------

struct opened_authority {
  owned<X509> certificate;
  owned<EVP_PKEY> key;
  timestamp until;
};

expected<timestamp> end_of(const X509* certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1)
    return bad("the certificate's end is not a time");
  return timestamp{std::chrono::seconds{::timegm(&time)}};
}

expected<opened_authority> open_authority(const authority& by) {
  opened_authority opened{read_certificate(by.certificate_pem), read_key(by.key_pem), {}};
  if (!opened.certificate)
    return bad("the authority's certificate is not one (PEM was expected)");
  if (!opened.key)
    return bad("the authority's key is not one (PEM without a password was expected)");
  if (X509_check_private_key(opened.certificate.get(), opened.key.get()) != 1)
    return bad("the authority's key does not belong to its certificate");
  if (X509_check_ca(opened.certificate.get()) != 1)
    return bad("the authority's certificate is not one of an authority");
  const auto until = end_of(opened.certificate.get());
  if (!until)
    return until.error();
  opened.until = *until;
  return opened;
}

bool is_common_name(const std::string& name) {
  return !name.empty() && name.size() <= name_bytes_max;
}

} // namespace

expected<authority> make_authority(const std::string& name, int days) {
  if (!is_common_name(name))
    return bad("an authority's name has 1 to 64 bytes");
  const owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  const auto now = wall_clock_now();
  const auto made =
    key ? draft({name, now - backdated, now + days * a_day, nullptr}, key.get()) : nullptr;
  // It vouches for nodes alone, not for further authorities.
  if (!made
      || !add_extensions(made.get(), made.get(),
                         {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                          {NID_key_usage, "critical,keyCertSign,cRLSign"},
                          {NID_subject_key_identifier, "hash"}})
      || X509_sign(made.get(), key.get(), EVP_sha256()) == 0)
    return openssl_error("making an authority");
  return in_pem<authority>(made.get(), key.get());
}

expected<identity> issue(const authority& by, const std::string& node_id,
                         const std::vector<std::string>& hosts, int days) {
  if (!is_common_name(node_id) || !std::ranges::all_of(node_id, is_host_character))
    return bad("\"" + node_id
               + "\" is not a node's id (1 to 64 of a-z, 0-9, '-', '_' and '.')");
  const auto names = names_of(node_id, hosts);
  if (!names)
    return names.error();
  const auto issuer = open_authority(by);
  if (!issuer)
    return issuer.error();
  const owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  const auto now = wall_clock_now();
  const auto until = std::min(now + days * a_day, issuer->until);
  const auto* issuer_name = X509_get_subject_name(issuer->certificate.get());
  const auto made =
    key ? draft({node_id, std::min(now, until) - backdated, until, issuer_name}, key.get())
        : nullptr;
  if (!made
      || !add_extensions(made.get(), issuer->certificate.get(),
                         {{NID_basic_constraints, "critical,CA:FALSE"},
                          {NID_key_usage, "critical,digitalSignature"},
                          {NID_ext_key_usage, "serverAuth,clientAuth"},
                          {NID_subject_key_identifier, "hash"},
                          {NID_authority_key_identifier, "keyid:always"}})
      || !add_alternative_names(made.get(), *names)
      || X509_sign(made.get(), issuer->key.get(), EVP_sha256()) == 0)
    return openssl_error("making a node's certificate");
  return in_pem<identity>(made.get(), key.get());
}

expected<timestamp> valid_until(const std::string& certificate_pem) {
  const auto certificate = read_certificate(certificate_pem);
  if (!certificate)
    return bad("not a certificate (PEM was expected)");
  return end_of(certificate.get());
}

bool has_issued(const authority& by, const std::string& certificate_pem) {
  const auto issuer = read_certificate(by.certificate_pem);
  const auto certificate = read_certificate(certificate_pem);
  const bool signed_by = issuer && certificate
                         && X509_verify(certificate.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return signed_by;
}

bool belong_together(const identity& node) {
  const auto certificate = read_certificate(node.certificate_pem);
  const auto key = read_key(node.key_pem);
  const bool fits =
    certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits;
}

bool contains(const std::string& bundle_pem, const std::string& certificate_pem) {
  const auto wanted = read_certificate(certificate_pem);
  const auto in = reading(bundle_pem);
  bool found = false;
  while (wanted && in && !found) {
    const owned<X509> each{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
    if (!each)
      break;
    found = X509_cmp(each.get(), wanted.get()) == 0;
  }
  ERR_clear_error();
  return found;
}

} // namespace holdfast::embedded
