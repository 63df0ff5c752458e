#include "policies/digest.hpp"

#include <openssl/evp.h>

namespace tollgate::policies {
namespace {

/// SHA-256 with all that OpenSSL would make anew for each digest: finding the algorithm and a
/// context cost more than hashing a key. One a thread.
class Sha256 {
 public:
  Sha256() : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {}
  ~Sha256() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  [[nodiscard]] bool begin() {
    return algorithm_ != nullptr && context_ != nullptr &&
           EVP_DigestInit_ex2(context_, algorithm_, nullptr) == 1;
  }
  [[nodiscard]] bool add(std::string_view text) {
    return EVP_DigestUpdate(context_, text.data(), text.size()) == 1;
  }
  [[nodiscard]] bool end(Digest& out) {
    return EVP_DigestFinal_ex(context_, out.data(), nullptr) == 1;
  }

 private:
  EVP_MD* algorithm_;
  EVP_MD_CTX* context_;
};

}  // namespace

std::optional<Digest> sha256(std::initializer_list<std::string_view> parts) {
  thread_local Sha256 sha256;
  Digest digest{};
  bool fine = sha256.begin();
  for (std::string_view part : parts)
    fine = fine && sha256.add(part);
  if (!fine || !sha256.end(digest)) return std::nullopt;
  return digest;
}

}  // namespace tollgate::policies
