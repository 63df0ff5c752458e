// Pause: how a call waits for a moment. Implemented over the worker's event loop in net/; tests
// that let no time pass bring their own. One object a worker, on its thread.
#pragma once
#include "gateway/core/abort.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/front.hpp"

namespace tollgate {

struct Pause {
  virtual ~Pause() = default;
  /// Returns at `when`, or as soon as `slot` is aborted. One wait a slot at a time.
  virtual Awaitable<void> until(SteadyTime when, AbortSlot& slot) = 0;
};

}  // namespace tollgate
