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

/// Offset of the first byte for which `match` holds, or `text.size()`. `match` gets a vector (and
/// answers with a mask) or one byte (and answers with a truth value).
template <class Match>
inline std::size_t find_byte(std::string_view text, Match match) {
  static_assert(std::endian::native == std::endian::little, "masks are read low byte first");
  std::size_t at = 0;
  for (; at + sizeof(ByteVector) <= text.size(); at += sizeof(ByteVector)) {
    ByteVector bytes;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(match(bytes));
    if ((halves[0] | halves[1]) == 0) continue;
    const bool low = halves[0] != 0;
    const int bits = std::countr_zero(low ? halves[0] : halves[1]);
    return at + static_cast<std::size_t>(bits) / 8 + (low ? 0U : 8U);
  }
  while (at < text.size() && !match(static_cast<std::uint8_t>(text[at])))
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
