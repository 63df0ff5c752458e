// Call: one authenticated request's mutable context, from its head to its settlement. Owned by the
// run, seen by policies and routing. One worker thread.
#pragma once
#include <chrono>

#include "gateway/core/abort.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate {

struct Call {
  SteadyTime started{};
  /// The clock as it was looked at last. What follows a wait notes it; what follows that without
  /// another wait reads it, in place of the clock.
  SteadyTime seen{};
  SteadyTime deadline = never;
  AbortSlot abort;
  Outcome outcome;
  std::chrono::nanoseconds waited{0};  ///< for somebody else: not our overhead
  bool resting = false;   ///< between two attempts: nothing runs that could be read to its end
  bool deserted = false;  ///< nobody reads the reply: what runs may end, nothing new begins

  SteadyTime look() { return seen = std::chrono::steady_clock::now(); }
  /// `seen` as people read it: a step of the system's clock within the call does not show.
  [[nodiscard]] SystemTime seen_at() const {
    return outcome.started_at + std::chrono::duration_cast<SystemTime::duration>(seen - started);
  }
};

}  // namespace tollgate
