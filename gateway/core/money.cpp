#include "gateway/core/money.hpp"

#include <array>

namespace tollgate {

std::string usd_text(NanoUsd nano) {
  const bool negative = nano < 0;
  const auto amount =
      negative ? 0 - static_cast<std::uint64_t>(nano) : static_cast<std::uint64_t>(nano);
  constexpr std::uint64_t unit = nano_per_usd;
  // Written from its end: nine digits behind the point, less the zeros that say nothing.
  std::array<char, 32> text;
  char* const end = text.data() + text.size();
  char* at = end;
  auto fraction = static_cast<std::uint32_t>(amount % unit);
  if (fraction != 0) {
    int digits = 9;
    for (; fraction % 10 == 0; fraction /= 10)
      --digits;
    for (; digits > 0; --digits, fraction /= 10)
      *--at = static_cast<char>('0' + fraction % 10);
    *--at = '.';
  }
  std::uint64_t whole = amount / unit;
  do {
    *--at = static_cast<char>('0' + whole % 10);
    whole /= 10;
  } while (whole != 0);
  if (negative) *--at = '-';
  return {at, end};
}

}  // namespace tollgate
