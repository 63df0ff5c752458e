#include "client_certificates.hpp"

#include <cstdlib>
#include <doctest/doctest.h>
#include <memory>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace tollgate::net::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

void add_extension(X509* to, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  REQUIRE(extension != nullptr);
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(const char* name, EVP_PKEY* key, Issuer issuer, const char* alternative_names) {
  Certificate made(X509_new(), &X509_free);
  static long serial = 1;
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509* signer = issuer.certificate != nullptr ? issuer.certificate : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
  const bool is_ca = alternative_names == nullptr;
  add_extension(made.get(), signer, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!is_ca) add_extension(made.get(), signer, NID_subject_alt_name, alternative_names);
  REQUIRE(X509_sign(made.get(), issuer.key, EVP_sha256()) > 0);
  return made;
}

template <class Write>
void write_file(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(write(file) == 1);
  std::fclose(file);
}

}  // namespace

Certificates::Certificates(const std::string& names) {
  std::string folder = std::filesystem::temp_directory_path() / "tollgate-test-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  folder_ = folder;
  const Key ca_key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Key server_key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate authority = make("Test CA", ca_key.get(), {nullptr, ca_key.get()}, nullptr);
  const Certificate server =
      make("server", server_key.get(), {authority.get(), ca_key.get()}, names.c_str());
  write_file(ca(), [&](std::FILE* f) { return PEM_write_X509(f, authority.get()); });
  write_file(certificate(), [&](std::FILE* f) { return PEM_write_X509(f, server.get()); });
  write_file(key(), [&](std::FILE* f) {
    return PEM_write_PrivateKey(f, server_key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace tollgate::net::test
