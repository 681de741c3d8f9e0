// A node's certificate and key, and the authority that it trusts: checked when the node starts,
// and used in every handshake.
#pragma once

#include "actors/link/credentials.hpp"
#include "runtime/config/config.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace holdfast::cluster {

struct openssl_releaser {
  void operator()(BIO* it) const noexcept { BIO_free(it); }
  void operator()(EVP_PKEY* it) const noexcept { EVP_PKEY_free(it); }
  void operator()(EVP_MD_CTX* it) const noexcept { EVP_MD_CTX_free(it); }
  void operator()(X509* it) const noexcept { X509_free(it); }
  void operator()(X509_STORE* it) const noexcept { X509_STORE_free(it); }
  void operator()(X509_STORE_CTX* it) const noexcept { X509_STORE_CTX_free(it); }
  void operator()(STACK_OF(X509) * it) const noexcept { sk_X509_pop_free(it, X509_free); }
};

template <class T>
using owned = std::unique_ptr<T, openssl_releaser>;

/// A text as a file that nobody can change or take away: CAF opens its certificate, key and
/// authority for every connection, and would end the process if one of them were gone.
class private_file {
public:
  /// Errors: unavailable.
  [[nodiscard]] static expected<private_file> hold(const std::string& name,
                                                   const std::string& content);
  private_file(private_file&& other) noexcept;
  private_file& operator=(private_file&&) = delete;
  ~private_file();

  /// For as long as this lives, in this process.
  [[nodiscard]] std::string path() const;

private:
  explicit private_file(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

/// Thread-safe.
class node_credentials final : public links::credentials {
public:
  /// Reads the files. Errors: invalid_argument, naming the file and what is wrong with it.
  [[nodiscard]] static expected<std::shared_ptr<const node_credentials>> load(
    const config::tls_files& files, const std::string& node);

  [[nodiscard]] const std::string& certificate() const override { return certificate_; }
  [[nodiscard]] expected<std::string> sign(std::string_view bytes) const override;
  [[nodiscard]] expected<void> verify(std::string_view certificate, const std::string& node,
                                      std::string_view bytes,
                                      std::string_view signature) const override;

  // For CAF, and whoever else opens TLS connections as this node.
  [[nodiscard]] std::string certificate_path() const { return certificate_file_.path(); }
  [[nodiscard]] std::string key_path() const { return key_file_.path(); }
  [[nodiscard]] std::string authority_path() const { return authority_file_.path(); }

private:
  node_credentials(std::string certificate, owned<EVP_PKEY> key, owned<X509_STORE> authority,
                   private_file certificate_file, private_file key_file,
                   private_file authority_file)
    : certificate_(std::move(certificate)),
      key_(std::move(key)),
      authority_(std::move(authority)),
      certificate_file_(std::move(certificate_file)),
      key_file_(std::move(key_file)),
      authority_file_(std::move(authority_file)) {}

  std::string certificate_;
  owned<EVP_PKEY> key_;
  owned<X509_STORE> authority_;
  private_file certificate_file_;
  private_file key_file_;
  private_file authority_file_;
};

/// What a code of X509_verify_cert means, as a clause that follows "the certificate of node-2":
/// "has expired".
[[nodiscard]] std::string verification_text(long code);

} // namespace holdfast::cluster
