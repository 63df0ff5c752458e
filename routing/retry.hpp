// Retry rules: what may follow a failed attempt, how long to wait before the same target is asked
// again, and how much of a target's traffic such repeats may be. Pure but for RetryBudget's
// counters, which all workers share. Asked by the attempt loop after a failure, never before.
#pragma once
#include <chrono>
#include <cstdint>
#include <string_view>

#include "gateway/core/clock.hpp"
#include "gateway/core/error.hpp"
#include "routing/count_window.hpp"

namespace tollgate::routing {

/// How far an attempt had come when it failed.
enum class Phase : std::uint8_t {
  connecting,  ///< the request was not sent, or not whole
  waiting,     ///< sent; no head yet
  replying,    ///< a head came; the client has seen nothing
  shown,       ///< the client has seen content
};

/// `models.*.retry`, but for `budget`, which is a target's own.
struct RetryRules {
  std::uint32_t attempts = 3;
  std::chrono::milliseconds base{250}, cap{8000};
};

/// What may follow `error`. `tries`: attempts at that target so far, this one included. What may
/// have cost a whole timeout or a whole answer is repeated once only.
[[nodiscard]] Retry after_failure(const Error& error, Phase phase, std::uint32_t tries);

/// Full jitter: between 0 and min(cap, base * 2^repeats), picked by `random` (any 64 bits).
[[nodiscard]] std::chrono::milliseconds backoff(const RetryRules& rules, std::uint32_t repeats,
                                                std::uint64_t random);

/// 64 bits of one call's own randomness: of its id's, spread by `draw`.
[[nodiscard]] std::uint64_t draw_of(std::string_view request_id, std::uint32_t draw);

/// One target's traffic and repeats of the last ten seconds, second by second. Without a lock.
class RetryBudget {
 public:
  /// So many thousandths of the traffic may be repeats; never under ten in one second.
  explicit RetryBudget(std::uint32_t permille) : permille_(permille) {}

  /// A first request to the target.
  void note(SteadyTime now) { window_.count(1, 0, now); }
  /// Takes leave for a repeat; false: the target has had too many.
  [[nodiscard]] bool take(SteadyTime now);

 private:
  static constexpr std::uint64_t repeats_always = 10;

  std::uint64_t permille_;
  CountWindow window_;  // by the second; marked: repeats
};

}  // namespace tollgate::routing
