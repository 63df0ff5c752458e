#include "policies/cache/key_memo.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace tollgate::cache {
namespace {

constexpr std::size_t entries = 4096;  // about 200 KB
constexpr int secret_bytes = 32;

}  // namespace

/// The same secret for every request: tags are never told to anybody.
class KeyMemo::Hash {
 public:
  Hash() : algorithm_(EVP_MAC_fetch(nullptr, "POLY1305", nullptr)) {
    if (algorithm_ != nullptr) context_ = EVP_MAC_CTX_new(algorithm_);
    ready_ = context_ != nullptr && RAND_bytes(secret_.data(), secret_bytes) == 1;
  }
  ~Hash() {
    OPENSSL_cleanse(secret_.data(), secret_.size());
    EVP_MAC_CTX_free(context_);
    EVP_MAC_free(algorithm_);
  }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;

  /// With the length of `rest` before it, only the body is of a length that nothing says.
  std::optional<Tag> of(const Request& request) {
    const std::array<std::uint64_t, 4> head{std::bit_cast<std::uintptr_t>(request.tenant),
                                            std::bit_cast<std::uintptr_t>(request.route),
                                            request.endpoint, request.rest.size()};
    Tag tag{};
    std::size_t size = 0;
    const bool fine =
        ready_ && EVP_MAC_init(context_, secret_.data(), secret_.size(), nullptr) == 1 &&
        add(head.data(), sizeof head) && add(request.rest.data(), request.rest.size()) &&
        add(request.body.data(), request.body.size()) &&
        EVP_MAC_final(context_, tag.data(), &size, tag.size()) == 1;
    return fine ? std::optional(tag) : std::nullopt;
  }

 private:
  bool add(const void* bytes, std::size_t size) {
    return size == 0 ||
           EVP_MAC_update(context_, static_cast<const unsigned char*>(bytes), size) == 1;
  }

  EVP_MAC* algorithm_;
  EVP_MAC_CTX* context_ = nullptr;
  std::array<unsigned char, secret_bytes> secret_{};
  bool ready_ = false;
};

KeyMemo::KeyMemo() : hash_(std::make_unique<Hash>()) {}
KeyMemo::~KeyMemo() = default;

std::optional<KeyMemo::Tag> KeyMemo::tag_of(const Request& request) { return hash_->of(request); }

std::size_t KeyMemo::place_of(const Tag& tag) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, tag.data(), sizeof bits);
  return bits % entries;
}

const policies::Digest* KeyMemo::find(const Tag& tag) const {
  if (entries_.empty()) return nullptr;
  const Entry& entry = entries_[place_of(tag)];
  return entry.used && entry.tag == tag ? &entry.key : nullptr;
}

void KeyMemo::put(const Tag& tag, const policies::Digest& key) {
  if (entries_.empty()) entries_.resize(entries);
  entries_[place_of(tag)] = {.tag = tag, .key = key, .used = true};
}

void KeyMemo::forget() { entries_.clear(); }

}  // namespace tollgate::cache
