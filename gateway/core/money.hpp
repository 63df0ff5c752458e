// Money: whole nano-dollars, never a float. Used by the price book, the store, the ledger and the
// rows. Plain values; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate {

/// 1 USD = 1,000,000,000. What a sum cannot hold saturates (money::add): it never wraps around.
using NanoUsd = std::int64_t;
inline constexpr NanoUsd nano_per_usd = 1'000'000'000;
inline constexpr NanoUsd nano_max = INT64_MAX;

/// a + b without wrapping around.
[[nodiscard]] constexpr NanoUsd add_saturated(NanoUsd a, NanoUsd b) {
  NanoUsd sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? INT64_MAX : INT64_MIN;
}

/// What one attempt cost, by what was paid for. The parts add up to the total to the nano-dollar.
struct CostByKind {
  NanoUsd input = 0, cache_read = 0, cache_write = 0, cache_write_1h = 0;
  NanoUsd output = 0, reasoning = 0;  ///< reasoning only where it has a price of its own
  NanoUsd audio_input = 0, audio_output = 0;
  NanoUsd images = 0, requests = 0, tools = 0;

  [[nodiscard]] constexpr NanoUsd total() const;
  bool operator==(const CostByKind&) const = default;
};

/// Every member of CostByKind, with the name that rows give it. The journal has them in this order.
struct CostKind {
  std::string_view name;
  NanoUsd CostByKind::* member;
};
inline constexpr std::array cost_kinds{CostKind{"input", &CostByKind::input},
                                       CostKind{"cache_read", &CostByKind::cache_read},
                                       CostKind{"cache_write", &CostByKind::cache_write},
                                       CostKind{"cache_write_1h", &CostByKind::cache_write_1h},
                                       CostKind{"output", &CostByKind::output},
                                       CostKind{"reasoning", &CostByKind::reasoning},
                                       CostKind{"audio_input", &CostByKind::audio_input},
                                       CostKind{"audio_output", &CostByKind::audio_output},
                                       CostKind{"images", &CostByKind::images},
                                       CostKind{"requests", &CostByKind::requests},
                                       CostKind{"tools", &CostByKind::tools}};

constexpr NanoUsd CostByKind::total() const {
  NanoUsd sum = 0;
  for (const CostKind& kind : cost_kinds)
    sum += this->*kind.member;
  return sum;
}

/// As a decimal number of dollars, exact: `12.5`, `0.000000003`.
[[nodiscard]] std::string usd_text(NanoUsd nano);

}  // namespace tollgate
