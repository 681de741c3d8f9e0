#include "runtime/cluster/credentials.hpp"

#include "messages/limits.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace holdfast::cluster {

namespace {

owned<BIO> reading(std::string_view text) {
  return owned<BIO>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// The certificate and those that lead to its authority. Empty: it is no certificate.
struct chain {
  owned<X509> leaf;
  owned<STACK_OF(X509)> rest{sk_X509_new_null()};
};

chain read_chain(std::string_view pem) {
  chain result;
  if (pem.size() > limits::link_certificate_bytes_max)
    return result;
  const auto in = reading(pem);
  result.leaf.reset(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  while (auto* const next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
    sk_X509_push(result.rest.get(), next);
  ERR_clear_error();
  return result;
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// The common names, DNS names and URIs; of a URI its last part ("holdfast://prod/node-1").
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const auto* const subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
    names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  auto* const alternatives = static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const auto* const name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS)
      names.push_back(text_of(name->d.dNSName));
    else if (name->type == GEN_URI)
      if (const auto uri = text_of(name->d.uniformResourceIdentifier); !uri.empty())
        names.push_back(uri.substr(uri.rfind('/') + 1));
  }
  GENERAL_NAMES_free(alternatives);
  return names;
}

/// None: it names the node. Else a clause that follows "the certificate of node-2".
std::optional<std::string> check_name(X509* certificate, const std::string& node) {
  const auto names = names_of(certificate);
  if (std::ranges::find(names, node) != names.end())
    return std::nullopt;
  std::string text = "names ";
  for (const auto& name : names)
    text += (&name == names.data() ? "\"" : ", \"") + name + '"';
  return text + (names.empty() ? "nobody" : "") + ", not \"" + node + '"';
}

/// Of one use: a node's certificate serves both ends of a link.
std::optional<std::string> check_chain(X509_STORE* authority, const chain& one, int purpose) {
  const owned<X509_STORE_CTX> check{X509_STORE_CTX_new()};
  if (!check
      || X509_STORE_CTX_init(check.get(), authority, one.leaf.get(), one.rest.get()) != 1)
    return "could not be checked";
  X509_STORE_CTX_set_purpose(check.get(), purpose);
  const bool is_fine = X509_verify_cert(check.get()) == 1;
  ERR_clear_error();
  if (is_fine)
    return std::nullopt;
  return verification_text(X509_STORE_CTX_get_error(check.get()));
}

std::optional<std::string> check_chain(X509_STORE* authority, const chain& one) {
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    if (auto why = check_chain(authority, one, purpose))
      return why;
  return std::nullopt;
}

/// None where the key brings its own (Ed25519).
const EVP_MD* digest_for(EVP_PKEY* key) {
  std::array<char, 64> name{};
  EVP_PKEY_get_default_digest_name(key, name.data(), name.size());
  return std::string_view{name.data()} == "UNDEF" || name[0] == '\0' ? nullptr : EVP_sha256();
}

bool is_signed_by(EVP_PKEY* key, std::string_view bytes, std::string_view signature) {
  const owned<EVP_MD_CTX> check{EVP_MD_CTX_new()};
  const bool is_fine =
    key && check
    && EVP_DigestVerifyInit(check.get(), nullptr, digest_for(key), nullptr, key) == 1
    && EVP_DigestVerify(check.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                        signature.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                        bytes.size())
         == 1;
  ERR_clear_error();
  return is_fine;
}

// -- the files of the configuration -----------------------------------------------------------

error bad_file(const std::string& what, const std::string& path, const std::string& why) {
  return make_error(errc::invalid_argument, "[cluster] tls " + what + ' ' + path + ' ' + why);
}

expected<std::string> read_file(const std::string& what, const std::string& path) {
  errno = 0;
  std::ifstream in{path, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>{in}, {}};
  if (!in.is_open() || in.bad())
    return bad_file(what, path, std::string{"cannot be read: "} + std::strerror(errno));
  return content;
}

/// Never asks a terminal for the password of a key that has one.
int no_password(char*, int, int, void*) {
  return -1;
}

owned<X509_STORE> read_authority(const std::string& pem) {
  owned<X509_STORE> store{X509_STORE_new()};
  const auto in = reading(pem);
  int found = 0;
  while (const owned<X509> one{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)})
    found += X509_STORE_add_cert(store.get(), one.get());
  ERR_clear_error();
  return found > 0 ? std::move(store) : nullptr;
}

} // namespace

std::string verification_text(long code) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "is not valid yet";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED: return "is signed by another authority";
    case X509_V_ERR_INVALID_PURPOSE:
      return "is not meant for both ends of TLS (extended key usage)";
    default: return std::string{"does not hold: "} + X509_verify_cert_error_string(code);
  }
}

// -- private_file -----------------------------------------------------------------------------

expected<private_file> private_file::hold(const std::string& name, const std::string& content) {
  private_file made{::memfd_create(name.c_str(), MFD_CLOEXEC)};
  for (std::size_t done = 0; made.descriptor_ >= 0 && done < content.size();) {
    const auto wrote = ::write(made.descriptor_, content.data() + done, content.size() - done);
    if (wrote <= 0)
      return make_error(errc::unavailable,
                        "no memory for " + name + ": " + std::strerror(errno));
    done += static_cast<std::size_t>(wrote);
  }
  if (made.descriptor_ < 0)
    return make_error(errc::unavailable, "no memory for " + name + ": " + std::strerror(errno));
  return made;
}

private_file::private_file(private_file&& other) noexcept
  : descriptor_(std::exchange(other.descriptor_, -1)) {}

private_file::~private_file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

std::string private_file::path() const {
  return "/proc/self/fd/" + std::to_string(descriptor_);
}

// -- node_credentials -------------------------------------------------------------------------

expected<std::shared_ptr<const node_credentials>> node_credentials::load(
  const config::tls_files& files, const std::string& node) {
  auto certificate = read_file("certificate", files.certificate);
  auto key_text = read_file("key", files.key);
  auto authority_text = read_file("ca", files.ca);
  for (const auto* one : {&certificate, &key_text, &authority_text})
    if (!*one)
      return one->error();
  auto authority = read_authority(*authority_text);
  if (!authority)
    return bad_file("ca", files.ca, "holds no certificate in PEM");
  const auto own = read_chain(*certificate);
  if (!own.leaf)
    return bad_file("certificate", files.certificate, "holds no certificate in PEM");
  owned<EVP_PKEY> key{
    PEM_read_bio_PrivateKey(reading(*key_text).get(), nullptr, no_password, nullptr)};
  ERR_clear_error();
  if (!key)
    return bad_file("key", files.key, "holds no key in PEM, or one with a password");
  if (X509_check_private_key(own.leaf.get(), key.get()) != 1) {
    ERR_clear_error();
    return bad_file("key", files.key, "is not that of the certificate " + files.certificate);
  }
  if (const auto why = check_chain(authority.get(), own))
    return bad_file("certificate", files.certificate,
                    *why + "; the authority is that of " + files.ca);
  if (const auto why = check_name(own.leaf.get(), node))
    return bad_file("certificate", files.certificate,
                    *why + ": give the node ([node] id) a certificate of its own");
  auto certificate_file = private_file::hold("certificate", *certificate);
  auto key_file = private_file::hold("key", *key_text);
  auto authority_file = private_file::hold("authority", *authority_text);
  for (const auto* one : {&certificate_file, &key_file, &authority_file})
    if (!*one)
      return one->error();
  return std::shared_ptr<const node_credentials>{new node_credentials{
    std::move(*certificate), std::move(key), std::move(authority), std::move(*certificate_file),
    std::move(*key_file), std::move(*authority_file)}};
}

expected<std::string> node_credentials::sign(std::string_view bytes) const {
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  const owned<EVP_MD_CTX> signing{EVP_MD_CTX_new()};
  std::size_t size = 0;
  std::string signature;
  if (signing
      && EVP_DigestSignInit(signing.get(), nullptr, digest_for(key_.get()), nullptr, key_.get())
           == 1
      && EVP_DigestSign(signing.get(), nullptr, &size, data, bytes.size()) == 1) {
    signature.resize(size);
    if (EVP_DigestSign(signing.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       data, bytes.size())
        == 1) {
      signature.resize(size);
      return signature;
    }
  }
  ERR_clear_error();
  return make_error(errc::internal, "OpenSSL could not sign with the node's key");
}

expected<void> node_credentials::verify(std::string_view certificate, const std::string& node,
                                        std::string_view bytes,
                                        std::string_view signature) const {
  const auto refuse = [](std::string why) {
    return make_error(errc::invalid_argument, std::move(why));
  };
  const auto theirs = read_chain(certificate);
  if (!theirs.leaf)
    return refuse("was not shown");
  if (auto why = check_chain(authority_.get(), theirs))
    return refuse(std::move(*why));
  if (auto why = check_name(theirs.leaf.get(), node))
    return refuse(std::move(*why));
  if (!is_signed_by(X509_get0_pubkey(theirs.leaf.get()), bytes, signature))
    return refuse("is not its own: it does not have the key");
  return {};
}

} // namespace holdfast::cluster
