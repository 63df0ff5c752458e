// Availability: whether something can be asked now, and if not, why and until when. A plain value
// that breakers, keys and limits answer with. Any thread.
#pragma once
#include <cstdint>

#include "gateway/core/clock.hpp"

namespace tollgate::routing {

/// Why a target cannot be asked.
enum class Rest : std::uint8_t { none, limited, broken };

struct Availability {
  Rest rest = Rest::none;
  SteadyTime until{};  ///< when it may be asked again, where it rests
  [[nodiscard]] bool usable() const { return rest == Rest::none; }
};

}  // namespace tollgate::routing
