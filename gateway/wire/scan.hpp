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

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tollgate::wire {

using ByteBlock [[gnu::vector_size(16)]] = std::uint8_t;
using HalfBlock [[gnu::vector_size(8)]] = std::uint8_t;

/// The mask of one vector at `at`.
template <class Vector, class Match>
inline auto match_block(const char* at, Match match) {
  Vector bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return match(bytes);
}

/// A mask as words, the lower bytes first.
template <class Mask>
inline auto words_of(Mask mask) {
  static_assert(std::endian::native == std::endian::little, "masks are read low byte first");
  return std::bit_cast<std::array<std::uint64_t, sizeof(Mask) / 8>>(mask);
}

/// One bit for each of the sixteen bytes at `at`, the first byte's lowest: set where it matches.
template <class Match>
inline std::uint32_t bits_of_block(const char* at, Match match) {
#if defined(__SSE2__)
  const auto found = std::bit_cast<__m128i>(match_block<ByteBlock>(at, match));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(found));
#else
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < sizeof(ByteBlock); ++i)
    bits |= std::uint32_t{match(static_cast<std::uint8_t>(at[i])) != 0} << i;
  return bits;
#endif
}

/// Offset of the first match in one vector at `at`, or the vector's size.
template <class Vector, class Match>
inline std::size_t find_in_block(const char* at, Match match) {
#if defined(__SSE2__)
  if constexpr (sizeof(Vector) == sizeof(__m128i)) {
    const auto found = std::bit_cast<__m128i>(match_block<Vector>(at, match));
    const auto bits = static_cast<std::uint32_t>(_mm_movemask_epi8(found));
    return static_cast<std::size_t>(std::countr_zero(bits | 1U << sizeof(Vector)));
  }
#endif
  const auto mask = words_of(match_block<Vector>(at, match));
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != 0) return 8 * i + static_cast<std::size_t>(std::countr_zero(mask[i])) / 8;
  }
  return sizeof(Vector);
}

/// Offset of the first match in the text's last vector, or `text.size()`; what of it was looked at
/// before is known to be plain.
template <class Vector, class Match>
inline std::size_t find_in_last_block(std::string_view text, Match match) {
  const std::size_t at = text.size() - sizeof(Vector);
  return at + find_in_block<Vector>(text.data() + at, match);
}

/// The same for texts shorter than a block: most values of JSON and most header lines are.
template <class Match>
inline std::size_t find_in_short(std::string_view text, Match match) {
  if (text.size() >= sizeof(HalfBlock)) {
    const std::size_t found = find_in_block<HalfBlock>(text.data(), match);
    return found < sizeof(HalfBlock) ? found : find_in_last_block<HalfBlock>(text, match);
  }
  std::size_t at = 0;
  while (at < text.size() && !match(static_cast<std::uint8_t>(text[at])))
    ++at;
  return at;
}

/// Offset of the first byte for which `match` holds, or `text.size()`. `match` gets a vector (and
/// answers with a mask) or one byte (and answers with a truth value).
template <class Match>
inline std::size_t find_byte(std::string_view text, Match match) {
  constexpr std::size_t block = sizeof(ByteBlock);
  if (text.size() < block) return find_in_short(text, match);
  const char* data = text.data();
  std::size_t at = 0;
  for (; at + block <= text.size(); at += block) {
    const std::size_t found = find_in_block<ByteBlock>(data + at, match);
    if (found < block) return at + found;
    // Long runs are the rule once one block is plain: look at four together.
    for (; at + 5 * block <= text.size(); at += 4 * block) {
      auto any = match_block<ByteBlock>(data + at + block, match);
      for (std::size_t i = 2; i <= 4; ++i)
        any |= match_block<ByteBlock>(data + at + i * block, match);
      const auto words = words_of(any);
      if ((words[0] | words[1]) != 0) break;
    }
  }
  return at == text.size() ? at : find_in_last_block<ByteBlock>(text, match);
}

/// What may not stand unchanged in a JSON string: it ends a plain run.
struct NotPlain {
  auto operator()(auto c) const { return (c < 0x20) | (c == '"') | (c == '\\'); }
};
/// And what is no ASCII: what is left needs no look at its UTF-8 either.
struct NotPlainAscii {
  auto operator()(auto c) const { return NotPlain{}(c) | (c > 0x7F); }
};
struct StringEnd {
  auto operator()(auto c) const { return (c == '"') | (c == '\\'); }
};

inline std::size_t json_plain_run_short(std::string_view text) {
  return find_byte(text, NotPlain{});
}
/// The same with wider vectors, where the processor has them.
[[nodiscard]] std::size_t json_plain_run_long(std::string_view text);

/// Most strings end within the first bytes, and most of these within one block: `rest` looks at
/// what is behind them.
template <class Match, class Rest>
inline std::size_t run_by_parts(std::string_view text, Match match, Rest rest) {
  constexpr std::size_t block = sizeof(ByteBlock), near = 128;
  if (text.size() < block) return find_byte(text, match);
  const std::size_t first = find_in_block<ByteBlock>(text.data(), match);
  if (first < block) return first;
  const std::size_t run = find_byte(text.substr(0, near), match);
  return run < near ? run : near + rest(text.substr(near));
}

/// Length of the run that may stand unchanged in a JSON string: up to a quote, a backslash or a
/// control character.
inline std::size_t json_plain_run(std::string_view text) {
  return run_by_parts(text, NotPlain{}, json_plain_run_long);
}

inline std::size_t json_string_run_short(std::string_view text) {
  return find_byte(text, StringEnd{});
}
[[nodiscard]] std::size_t json_string_run_long(std::string_view text);

/// The same for a string that was checked before: up to a quote or a backslash.
inline std::size_t json_string_run(std::string_view text) {
  return run_by_parts(text, StringEnd{}, json_string_run_long);
}

[[nodiscard]] std::size_t json_ascii_run_long(std::string_view text);

/// Length of the plain ASCII at the beginning.
inline std::size_t json_ascii_run(std::string_view text) {
  return run_by_parts(text, NotPlainAscii{}, json_ascii_run_long);
}

/// Offset of the first CR or LF, or `text.size()`.
inline std::size_t find_line_end(std::string_view text) {
  return find_byte(text, [](auto c) { return (c == '\r') | (c == '\n'); });
}

}  // namespace tollgate::wire
