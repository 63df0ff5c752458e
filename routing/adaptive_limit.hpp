// AdaptiveLimit: how many attempts at a time a provider can take, found from its time to the first
// token: as long as that stays near what is usual the limit grows by a few, when it rises the
// limit shrinks in proportion. For servers of one's own, whose limit nobody states. Guarded by its
// owner, the provider's limit.
#pragma once
#include <chrono>
#include <cstdint>

namespace tollgate::routing {

class AdaptiveLimit {
 public:
  static constexpr double at_first = 20, least = 1, most = 10'000;

  /// An attempt's first token came after `took`, while `running` were under way. `ceiling`: the
  /// limit never passes it; 0: none.
  void observe(std::chrono::nanoseconds took, std::uint32_t running, std::uint32_t ceiling);
  /// An attempt failed as an overloaded server's do.
  void failed();
  [[nodiscard]] std::uint32_t limit() const { return static_cast<std::uint32_t>(limit_); }

 private:
  double limit_ = at_first;
  double usual_ = 0;  // ns, a slow moving average; 0: nothing is known
  std::uint32_t seen_ = 0;
};

}  // namespace tollgate::routing
