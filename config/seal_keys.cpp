#include "config/seal_keys.hpp"

#include <algorithm>
#include <openssl/evp.h>

namespace tollgate::config {

std::optional<std::array<unsigned char, 32>> parse_sealing_key(std::string_view text) {
  constexpr std::size_t spelled = 44;  // 32 bytes and the padding
  if (text.size() != spelled || text.find('=') != spelled - 1) return std::nullopt;
  std::array<unsigned char, 33> decoded{};
  const auto* from = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DecodeBlock(decoded.data(), from, spelled) != static_cast<int>(decoded.size())) {
    return std::nullopt;
  }
  std::array<unsigned char, 32> key{};
  std::copy_n(decoded.begin(), key.size(), key.begin());
  return key;
}

std::vector<SealingKey> sealing_keys(const Config& config) {
  std::vector<SealingKey> keys;
  if (!config.cache) return keys;
  const auto add = [&keys](std::string_view id, const Secret& text) {
    if (const auto key = parse_sealing_key(text.value)) keys.push_back({std::string(id), *key});
  };
  add("default", config.cache->encryption_key);
  for (const CacheKeyConfig& key : config.cache->encryption_keys)
    add(key.id, key.key);
  return keys;
}

}  // namespace tollgate::config
