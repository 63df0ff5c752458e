// Stir: SplitMix64. Spreads a number over a whole word, so that neighbours have nothing in common.
// Pure; for choices by lot and for rows of numbers, never for secrets.
#pragma once
#include <cstdint>

namespace tollgate::routing {

/// By which a row goes on: stir(n), stir(n + stir_step), ...
inline constexpr std::uint64_t stir_step = 0x9E3779B97F4A7C15ULL;

[[nodiscard]] constexpr std::uint64_t stir(std::uint64_t value) {
  value += stir_step;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

}  // namespace tollgate::routing
