// Call: one authenticated request's mutable context, from its head to its settlement. Owned by the
// run, seen by policies and routing. One worker thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "gateway/core/abort.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate {

struct Plan;  // gateway/app

/// Who asks.
struct Principal {
  std::string_view tenant, key_id;  ///< views into the plan
  std::size_t tenant_index = 0;     ///< metrics and per-tenant tables
};

struct Call {
  std::shared_ptr<const Plan> plan;
  Principal principal;
  std::string request_id;
  SteadyTime started{};
  SteadyTime deadline = never;
  AbortSlot abort;
  Outcome outcome;
  SteadyTime waiting_since{};  ///< while somebody else works: not our overhead
  std::chrono::nanoseconds waited{0};
  bool content_written = false;  ///< from then on failover would be visible

  virtual ~Call() = default;
};

}  // namespace tollgate
