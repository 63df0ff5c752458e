#include "gateway/core/money.hpp"

#include <array>
#include <charconv>

namespace tollgate {

std::string usd_text(NanoUsd nano) {
  const bool negative = nano < 0;
  const auto amount =
      negative ? 0 - static_cast<std::uint64_t>(nano) : static_cast<std::uint64_t>(nano);
  constexpr std::uint64_t unit = nano_per_usd;
  std::array<char, 32> text{'-'};
  char* at = std::to_chars(text.data() + 1, text.data() + text.size(), amount / unit).ptr;
  if (auto left = static_cast<std::uint32_t>(amount % unit); left > 0) {
    std::size_t digits = 9;
    for (; left % 10 == 0; left /= 10)
      --digits;
    *at = '.';
    for (std::size_t place = digits; place > 0; --place, left /= 10)
      at[place] = static_cast<char>('0' + left % 10);
    at += digits + 1;
  }
  return {text.data() + (negative ? 0 : 1), at};
}

}  // namespace tollgate
