// Balance: in which order one call tries its model's targets. Leaves out what rests (an open
// breaker, keys at their limit), lets the strategy or the call's affinity choose among the others,
// and puts those behind that have only just come back. Pure but for the shared turn of weighted
// choice; asked once a call, on the call's worker.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "gateway/core/clock.hpp"
#include "routing/health.hpp"
#include "routing/route_table.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

/// What one call brings to the choice.
struct ChoiceFacts {
  SteadyTime now{};
  std::uint64_t random = 0;    ///< a fresh one for each call
  std::uint64_t affinity = 0;  ///< equal for calls that belong together; 0: belongs to none
  std::uint64_t tokens = 0;    ///< that it may use, by estimate
  /// The tenant's own upstream keys by provider name.
  const HeaderList* own_keys = nullptr;
  /// What this call would cost there, in any unit; asked with `strategy: cheapest` only.
  std::function<double(const ProviderEntry&, std::string_view model)> price;
};

struct Choice {
  std::vector<Target> targets;  ///< in the order to try; a provider's further keys come last
  Availability rest;            ///< where there is none: why, and until when
  bool full = false;  ///< all of them are at their limits: the call has to wait for its turn
};

[[nodiscard]] Choice choose_targets(const Match& match, const ChoiceFacts& facts);

/// Which of `weights` the turn belongs to, as a table of one whole cycle: smooth, and exact over
/// it. Empty where the cycle would be too long; then `spread` does.
[[nodiscard]] std::vector<std::uint16_t> weighted_cycle(const std::vector<Target>& targets);

}  // namespace tollgate::routing
