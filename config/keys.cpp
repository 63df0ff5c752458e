#include <algorithm>
#include <array>
#include <cctype>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdexcept>

#include "config/load.hpp"
#include "config/text_check.hpp"
#include "config/values.hpp"
#include "gateway/core/hex.hpp"

namespace tollgate::config {
namespace {

constexpr std::string_view base62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t secret_characters = 22;  // 131 bits
constexpr std::size_t id_bytes_max = 64;

// Uniform: bytes that would favour the first characters are thrown away.
std::string random_text(std::string_view alphabet, std::size_t length) {
  const std::size_t fair = 256 / alphabet.size() * alphabet.size();
  std::string out;
  while (out.size() < length) {
    std::array<unsigned char, 64> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
      throw std::runtime_error("no random bytes to be had");  // never weaker ones
    }
    for (const unsigned char byte : bytes) {
      if (byte < fair && out.size() < length) out += alphabet[byte % alphabet.size()];
    }
  }
  return out;
}

bool fits_id(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
}

std::string id_of(const std::string& tenant) {
  constexpr std::size_t suffix = 5;
  std::string id = tenant.substr(0, id_bytes_max - suffix);
  std::replace_if(id.begin(), id.end(), [](char c) { return !fits_id(c); }, '-');
  if (!valid_key_id(id)) id = "key" + id.substr(0, id_bytes_max - suffix - 3);
  return id + "-" + random_text(base36, suffix - 1);
}

}  // namespace

bool valid_key_id(std::string_view id) {
  return !id.empty() && id.size() <= id_bytes_max && std::all_of(id.begin(), id.end(), fits_id) &&
         std::isalnum(static_cast<unsigned char>(id.front())) != 0;
}

NewKey make_key(const std::string& tenant, std::string id) {
  if (id.empty()) id = id_of(tenant);
  NewKey key;
  key.secret = "tg-" + id + "-" + random_text(base62, secret_characters);
  const std::string shown = classify(id) == Plain::text ? id : json_quoted(id);
  key.yaml_line = "- {id: " + shown + ", sha256: \"" + sha256_hex(key.secret) + "\"}";
  return key;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  // SHA256() is the one-shot form, which OpenSSL 3 keeps.
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return hex_of(digest);
}

bool matches(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace tollgate::config
