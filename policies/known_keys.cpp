#include "policies/known_keys.hpp"

#include <bit>
#include <cstring>
#include <openssl/rand.h>
#include <stdexcept>

namespace tollgate::policies {
namespace {

std::uint64_t word_at(const char* at, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

struct SipState {
  std::uint64_t a, b, c, d;

  void round() {
    a += b;
    b = std::rotl(b, 13) ^ a;
    a = std::rotl(a, 32);
    c += d;
    d = std::rotl(d, 16) ^ c;
    a += d;
    d = std::rotl(d, 21) ^ a;
    c += b;
    b = std::rotl(b, 17) ^ c;
    c = std::rotl(c, 32);
  }
  void take(std::uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
  std::uint64_t finish() {
    for (int i = 0; i < 4; ++i)
      round();
    return a ^ b ^ c ^ d;
  }
};

}  // namespace

Tag sip_hash(const Tag& key, std::string_view text) {
  SipState state{.a = key.low ^ 0x736f6d6570736575,
                 .b = key.high ^ 0x646f72616e646f6d ^ 0xee,
                 .c = key.low ^ 0x6c7967656e657261,
                 .d = key.high ^ 0x7465646279746573};
  const std::uint64_t length = text.size();
  for (; text.size() >= 8; text.remove_prefix(8))
    state.take(word_at(text.data(), 8));
  const std::uint64_t rest = text.empty() ? 0 : word_at(text.data(), text.size());
  state.take(length << 56U | rest);
  state.c ^= 0xee;
  Tag tag{.low = state.finish()};
  state.b ^= 0xdd;
  tag.high = state.finish();
  return tag;
}

KnownKeys::KnownKeys() {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&secret_), sizeof secret_) != 1) {
    throw std::runtime_error("OpenSSL gives no random numbers");
  }
}

const Key* KnownKeys::find(const KeyTable& keys, std::string_view secret, SystemTime now) {
  constexpr std::size_t longest = 512;
  if (secret.size() > longest) return keys.find(secret, now);
  const Tag tag = sip_hash(secret_, secret);
  Place& place = places_[tag.low % places_.size()];
  if (place.key != nullptr && place.tag == tag) {
    return has_expired(*place.key, now) ? nullptr : place.key;
  }
  const Key* const key = keys.find(secret, now);
  if (key != nullptr) place = {tag, key};
  return key;
}

}  // namespace tollgate::policies
