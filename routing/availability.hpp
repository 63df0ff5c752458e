// Availability: whether something can be asked now, and if not, why and until when. A plain value
// that breakers, keys and limits answer with; a Pass is what an attempt that may go gets instead.
// Any thread.
#pragma once
#include <cstdint>

#include "gateway/core/clock.hpp"

namespace tollgate::routing {

/// Why a target cannot be asked.
enum class Rest : std::uint8_t { none, limited, broken };

struct Availability {
  Rest rest = Rest::none;
  SteadyTime until{};        ///< when it may be asked again, where it rests
  bool of_provider = false;  ///< what it lacks all targets of the provider lack
  bool known = true;         ///< false: `until` is a guess, another call's end decides
  [[nodiscard]] bool usable() const { return rest == Rest::none; }
};

/// An attempt that was let through; ended exactly once.
struct Pass {
  std::uint32_t key = 0;
  bool probe = false;        ///< the one call that a half-open breaker lets through
  bool counted = false;      ///< in the provider's limits,
  std::uint64_t tokens = 0;  ///< with so many tokens
};

}  // namespace tollgate::routing
