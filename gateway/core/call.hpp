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
  bool resting = false;   ///< between two attempts: nothing runs that could be read to its end
  bool deserted = false;  ///< nobody reads the reply: what runs may end, nothing new begins
};

}  // namespace tollgate
