// Target report: how each model's targets are, as GET /admin/targets and /metrics show it.
// Control thread.
#pragma once
#include <string>

#include "gateway/app/metrics.hpp"
#include "gateway/core/clock.hpp"
#include "routing/route_table.hpp"

namespace tollgate::app {

/// `{"targets":[{"model","provider","target","breaker","latency_ms","in_flight","cooldown_ms",
/// "last_error",...}]}`, in the file's order; under a wildcard one entry for each name that was
/// asked for lately.
[[nodiscard]] std::string targets_json(const routing::RouteTable& routes, SteadyTime now);

/// Sets the gauges of every target; all names under a wildcard are one, with the worst state.
void count_targets(Metrics& metrics, const routing::RouteTable& routes, SteadyTime now);

}  // namespace tollgate::app
