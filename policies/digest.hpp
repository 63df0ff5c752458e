// Digest: SHA-256 of a text or of several in a row. Used for keys, for idempotency and for the
// cache. Any thread.
#pragma once
#include <array>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace tollgate::policies {

using Digest = std::array<unsigned char, 32>;

/// SHA-256 of all parts, one behind the other. nullopt: it could not be made (no memory), and
/// nothing may be compared with it.
[[nodiscard]] std::optional<Digest> sha256(std::initializer_list<std::string_view> parts);

/// A digest is as good as random: any part of it is its hash.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

}  // namespace tollgate::policies
