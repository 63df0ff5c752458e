// What is written of every call, in JSON and in log lines: short texts, copied and looked at in one
// go, and numbers, eight digits at a time. Called by JsonText and the ledger's rows. Pure
// functions, any thread.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "gateway/wire/scan.hpp"

namespace tollgate::wire {

/// Not zero where one of the eight bytes is no ASCII, or must be escaped in JSON.
constexpr std::uint64_t odd_bytes(std::uint64_t word) {
  constexpr std::uint64_t ones = ~std::uint64_t{0} / 255, tops = ones << 7U;
  const auto zeros = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes; };
  const std::uint64_t controls = (word - ones * 0x20) & ~word;
  return (word | controls | zeros(word ^ ones * '"') | zeros(word ^ ones * '\\')) & tops;
}

template <class Word>
inline Word copy_word(const char* from, char* to) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  std::memcpy(to, &word, sizeof word);
  return word;
}

/// Copies `text` to `to`, where there is room for it. False: it holds bytes that are no ASCII or
/// must be escaped in JSON.
inline bool copy_ascii(std::string_view text, char* to) {
  const char* from = text.data();
  const std::size_t size = text.size();
  constexpr std::size_t block = sizeof(ByteBlock);
  constexpr NotPlainAscii is_odd;
  if (size >= block) {
    auto odd = is_odd(copy_word<ByteBlock>(from + size - block, to + size - block));
    for (std::size_t at = 0; at + block < size; at += block)
      odd |= is_odd(copy_word<ByteBlock>(from + at, to + at));
    const auto words = words_of(odd);
    return (words[0] | words[1]) == 0;
  }
  if (size >= 8) {
    const auto first = copy_word<std::uint64_t>(from, to);
    return (odd_bytes(first) |
            odd_bytes(copy_word<std::uint64_t>(from + size - 8, to + size - 8))) == 0;
  }
  if (size >= 4) {
    const std::uint64_t first = copy_word<std::uint32_t>(from, to);
    return odd_bytes(first << 32U | copy_word<std::uint32_t>(from + size - 4, to + size - 4)) == 0;
  }
  bool odd = false;
  for (std::size_t at = 0; at < size; ++at)
    odd |= is_odd(static_cast<std::uint8_t>(to[at] = from[at]));
  return !odd;
}

constexpr std::array<char, 200> make_digit_pairs() {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
inline constexpr std::array<char, 200> digit_pairs = make_digit_pairs();

/// A number below 100, with two digits; returns their end.
inline char* put_pair(char* at, std::uint32_t number) {
  std::memcpy(at, digit_pairs.data() + 2 * std::size_t{number}, 2);
  return at + 2;
}
/// One below 10,000, with four.
inline char* put_four(char* at, std::uint32_t number) {
  return put_pair(put_pair(at, number / 100), number % 100);
}

/// Writes into this much room, though the number may be shorter.
inline constexpr std::size_t number_digits_max = 20;

/// The eight digits of a number below 100,000,000, the first in the lowest byte, each as a number:
/// all are found in the same few steps.
constexpr std::uint64_t eight_digits(std::uint32_t number) {
  const std::uint64_t fours = number / 10'000 | std::uint64_t{number % 10'000} << 32U;
  const std::uint64_t hundreds = (fours * 10'486 >> 20U) & 0x7F'0000'007FU;  // exact below 10,000
  const std::uint64_t pairs = hundreds | (fours - hundreds * 100) << 16U;
  const std::uint64_t tens = (pairs * 103 >> 10U) & 0x000F'000F'000F'000FU;  // exact below 100
  return tens | (pairs - tens * 10) << 8U;
}

inline void put_digits(char* at, std::uint64_t digits) {
  std::uint64_t text = digits | ~std::uint64_t{0} / 255 * '0';
  if constexpr (std::endian::native == std::endian::big) text = __builtin_bswap64(text);
  std::memcpy(at, &text, sizeof text);
}

/// One below 100,000,000, with eight.
inline char* put_eight(char* at, std::uint32_t number) {
  put_digits(at, eight_digits(number));
  return at + 8;
}
/// One below 100,000,000, with as many as it has; what stands behind it is overwritten too.
inline char* put_short(char* at, std::uint32_t number) {
  const std::uint64_t digits = eight_digits(number);
  const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56U) / 8;  // 0 has a digit
  put_digits(at, digits >> 8 * zeros);
  return at + 8 - zeros;
}

/// Writes a number; returns its end.
inline char* put_number(char* at, std::uint64_t number) {
  constexpr std::uint64_t eight = 100'000'000;
  if (number < 10) {  // most figures
    *at = static_cast<char>('0' + number);
    return at + 1;
  }
  if (number < eight) return put_short(at, static_cast<std::uint32_t>(number));
  const std::uint64_t above = number / eight;
  at = above < eight ? put_short(at, static_cast<std::uint32_t>(above))
                     : put_eight(put_short(at, static_cast<std::uint32_t>(above / eight)),
                                 static_cast<std::uint32_t>(above % eight));
  return put_eight(at, static_cast<std::uint32_t>(number % eight));
}
inline char* put_number(char* at, std::int64_t number) {
  if (number >= 0) return put_number(at, static_cast<std::uint64_t>(number));
  *at = '-';
  return put_number(at + 1, ~static_cast<std::uint64_t>(number) + 1);
}

}  // namespace tollgate::wire
