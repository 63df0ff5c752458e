// Byte scans that the codecs share: where does a plain run end? Sixteen bytes at a step with the
// compiler's own vectors, so one source serves x86 and ARM. Called by the codecs of this folder
// only; pure functions, any thread.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tollgate::wire {

using ByteVector [[gnu::vector_size(16)]] = std::uint8_t;

/// The mask of a block as two halves, the lower bytes first.
using MaskHalves = std::array<std::uint64_t, 2>;

template <class Match>
inline MaskHalves match_block(const char* at, Match match) {
  static_assert(std::endian::native == std::endian::little, "masks are read low byte first");
  ByteVector bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return std::bit_cast<MaskHalves>(match(bytes));
}

/// Offset of the first byte for which `match` holds, or `text.size()`. `match` gets a vector (and
/// answers with a mask) or one byte (and answers with a truth value).
template <class Match>
inline std::size_t find_byte(std::string_view text, Match match) {
  constexpr std::size_t block = sizeof(ByteVector);
  const char* data = text.data();
  std::size_t at = 0;
  for (; at + block <= text.size(); at += block) {
    const MaskHalves mask = match_block(data + at, match);
    if ((mask[0] | mask[1]) != 0) {
      const bool low = mask[0] != 0;
      const int bits = std::countr_zero(low ? mask[0] : mask[1]);
      return at + static_cast<std::size_t>(bits) / 8 + (low ? 0U : 8U);
    }
    // Long runs are the rule once one block is plain: look at four together.
    for (; at + 5 * block <= text.size(); at += 4 * block) {
      std::uint64_t any = 0;
      for (std::size_t i = 1; i <= 4; ++i) {
        const MaskHalves next = match_block(data + at + i * block, match);
        any |= next[0] | next[1];
      }
      if (any != 0) break;
    }
  }
  while (at < text.size() && !match(static_cast<std::uint8_t>(data[at])))
    ++at;
  return at;
}

/// Length of the run that may stand unchanged in a JSON string: up to a quote, a backslash or a
/// control character.
inline std::size_t json_plain_run(std::string_view text) {
  return find_byte(text, [](auto c) { return (c < 0x20) | (c == '"') | (c == '\\'); });
}

/// Offset of the first CR or LF, or `text.size()`.
inline std::size_t find_line_end(std::string_view text) {
  return find_byte(text, [](auto c) { return (c == '\r') | (c == '\n'); });
}

}  // namespace tollgate::wire
