// The keys that seal what stands in Redis, from the `cache` section. Called when the file is
// checked and when a plan is built. Pure.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace tollgate::config {

struct SealingKey {
  std::string id;
  std::array<unsigned char, 32> bytes{};
};

/// 32 bytes in base64; nullopt: it is not that.
[[nodiscard]] std::optional<std::array<unsigned char, 32>> parse_sealing_key(std::string_view text);
/// The keys of a checked configuration, that which seals first; a lone one is called `default`.
[[nodiscard]] std::vector<SealingKey> sealing_keys(const Config& config);

}  // namespace tollgate::config
