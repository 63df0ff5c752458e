// What the fuzz targets share: a property that must hold, deterministic splits, and blocks of
// exactly the bytes that they hold, so that the address sanitizer sees each byte read too far.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"

namespace tollgate::fuzz {

/// Stops the run with a report when `holds` is false.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", property);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Takes one byte off the front of the input to choose a case by; 0 when there is none.
inline std::uint8_t take_byte(std::string_view& text) {
  if (text.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(text.front());
  text.remove_prefix(1);
  return byte;
}

/// Cuts `text` at places that `seed` decides: the same input always fails in the same way. An even
/// seed gives short pieces, an odd one pieces up to 256 bytes.
inline std::vector<std::string_view> split(std::string_view text, std::uint32_t seed) {
  std::vector<std::string_view> pieces;
  std::uint32_t state = seed * 2654435761U + 1U;
  const std::uint32_t longest = seed % 2 == 0 ? 4 : 256;
  while (!text.empty()) {
    state = state * 1664525U + 1013904223U;
    const std::string_view piece = text.substr(0, 1 + (state >> 16U) % longest);
    pieces.push_back(piece);
    text.remove_prefix(piece.size());
  }
  return pieces;
}

inline std::shared_ptr<Block> exact_block(std::string_view bytes) {
  auto block = std::make_shared<Block>(bytes.size());
  block->append(bytes);
  return block;
}

inline std::string_view bytes_of(const std::shared_ptr<Block>& block) {
  return {block->data(), block->used()};
}

inline bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace tollgate::fuzz
