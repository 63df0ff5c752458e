// Bytes as people and other systems read them. Pure; any thread.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace tollgate {

/// Two digits a byte, in lower case.
[[nodiscard]] inline std::string hex_of(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace tollgate
