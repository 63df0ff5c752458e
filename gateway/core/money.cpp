#include "gateway/core/money.hpp"

namespace tollgate {

std::string usd_text(NanoUsd nano) {
  const bool negative = nano < 0;
  const auto amount =
      negative ? 0 - static_cast<std::uint64_t>(nano) : static_cast<std::uint64_t>(nano);
  constexpr std::uint64_t unit = nano_per_usd;
  std::string text = (negative ? "-" : "") + std::to_string(amount / unit);
  std::string fraction = std::to_string(amount % unit);
  if (amount % unit == 0) return text;
  fraction.insert(0, 9 - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

}  // namespace tollgate
