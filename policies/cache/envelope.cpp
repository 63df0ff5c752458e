#include "policies/cache/envelope.hpp"

#include <memory>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "policies/cache/packing.hpp"
#include "policies/digest.hpp"

namespace tollgate::cache {
namespace {

// An envelope is version, form, length and text of the key's id, then, sealed, a nonce, the packed
// bytes and a tag; plain, a digest and the packed bytes. All that stands before the packed bytes,
// and the name, is authenticated with them.
constexpr char version = 1, plain_form = 0, sealed_form = 1;
constexpr std::size_t head_bytes = 3, nonce_bytes = 12, tag_bytes = 16, digest_bytes = 16;

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, Free>;
using Subkey = std::array<unsigned char, 32>;

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int length(std::string_view text) { return static_cast<int>(text.size()); }

/// A key for this name alone: nonces are random, and so many go with one key only.
bool derive(const SealKey& key, std::string_view name, Subkey& out) {
  unsigned int size = 0;
  return HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()), raw(name),
              name.size(), out.data(), &size) != nullptr &&
         size == out.size();
}

/// A context with key and nonce set that has read `head` and `name`.
Cipher begin(const SealKey& key, std::string_view name, std::string_view head,
             std::string_view nonce, bool sealing) {
  Subkey subkey{};
  Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool fine = cipher && derive(key, name, subkey) &&
                    EVP_CipherInit_ex2(cipher.get(), EVP_aes_256_gcm(), subkey.data(), raw(nonce),
                                       sealing ? 1 : 0, nullptr) == 1 &&
                    EVP_CipherUpdate(cipher.get(), nullptr, &size, raw(head), length(head)) == 1 &&
                    EVP_CipherUpdate(cipher.get(), nullptr, &size, raw(name), length(name)) == 1;
  OPENSSL_cleanse(subkey.data(), subkey.size());
  return fine ? std::move(cipher) : nullptr;
}

std::string seal_with(const SealKey& key, std::string_view name, std::string head,
                      std::string_view packed) {
  std::string nonce(nonce_bytes, '\0'), tag(tag_bytes, '\0');
  if (RAND_bytes(raw(nonce), nonce_bytes) != 1) return {};
  const Cipher cipher = begin(key, name, head, nonce, true);
  std::string text(packed.size(), '\0');
  int size = 0, last = 0;
  const bool fine =
      cipher &&
      EVP_CipherUpdate(cipher.get(), raw(text), &size, raw(packed), length(packed)) == 1 &&
      EVP_CipherFinal_ex(cipher.get(), raw(text) + size, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, raw(tag)) == 1;
  if (!fine) return {};
  return head.append(nonce).append(text).append(tag);
}

std::optional<std::string> open_with(const SealKey& key, std::string_view name,
                                     std::string_view head, std::string_view body) {
  if (body.size() < nonce_bytes + tag_bytes) return std::nullopt;
  const std::string_view nonce = body.substr(0, nonce_bytes);
  const std::string_view text = body.substr(nonce_bytes, body.size() - nonce_bytes - tag_bytes);
  std::string tag(body.substr(body.size() - tag_bytes));
  const Cipher cipher = begin(key, name, head, nonce, false);
  std::string packed(text.size(), '\0');
  int size = 0, last = 0;
  const bool fine =
      cipher && EVP_CipherUpdate(cipher.get(), raw(packed), &size, raw(text), length(text)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, raw(tag)) == 1 &&
      EVP_CipherFinal_ex(cipher.get(), raw(packed) + size, &last) == 1;
  if (!fine) return std::nullopt;
  return packed;
}

/// Tells damage, not malice: for that there are keys.
std::optional<std::string> digest_of(std::string_view name, std::string_view head,
                                     std::string_view packed) {
  const std::string size = std::to_string(name.size()) + ":";
  const auto digest = policies::sha256({size, name, head, packed});
  if (!digest) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(digest->data()), digest_bytes);
}

}  // namespace

const SealKey* Envelope::find(std::string_view id) const {
  for (const SealKey& key : keys_) {
    if (key.id == id) return &key;
  }
  return nullptr;
}

std::string Envelope::seal(std::string_view name, std::string_view bytes) const {
  const std::string packed = pack(bytes);
  if (packed.empty()) return {};
  std::string head{version, plain_form, '\0'};
  if (keys_.empty()) {
    const auto digest = digest_of(name, head, packed);
    return digest ? head + *digest + packed : std::string();
  }
  const SealKey& key = keys_.front();
  head[1] = sealed_form;
  head[2] = static_cast<char>(key.id.size());
  return seal_with(key, name, head + key.id, packed);
}

std::optional<std::string> Envelope::open(std::string_view name, std::string_view sealed,
                                          std::size_t bytes_max) const {
  if (sealed.size() < head_bytes || sealed[0] != version) return std::nullopt;
  const std::size_t head_size = head_bytes + static_cast<unsigned char>(sealed[2]);
  if (sealed.size() < head_size) return std::nullopt;
  const std::string_view head = sealed.substr(0, head_size), body = sealed.substr(head_size);
  // Who has keys believes nothing that anybody could have written.
  if (sealed[1] != (keys_.empty() ? plain_form : sealed_form)) return std::nullopt;
  if (keys_.empty()) {
    if (body.size() < digest_bytes) return std::nullopt;
    const std::string_view packed = body.substr(digest_bytes);
    if (digest_of(name, head, packed) != body.substr(0, digest_bytes)) return std::nullopt;
    return unpack(packed, bytes_max);
  }
  const SealKey* const key = find(head.substr(head_bytes));
  const auto packed = key != nullptr ? open_with(*key, name, head, body) : std::nullopt;
  return packed ? unpack(*packed, bytes_max) : std::nullopt;
}

}  // namespace tollgate::cache
