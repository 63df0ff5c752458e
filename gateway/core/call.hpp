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
  SteadyTime deadline = never;
  AbortSlot abort;
  Outcome outcome;
  std::chrono::nanoseconds waited{0};  ///< for somebody else: not our overhead
};

}  // namespace tollgate
