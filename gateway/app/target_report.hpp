// Target report: how each model's targets are, as GET /admin/targets and /metrics show it.
// Control thread.
#pragma once
#include <string>

#include "gateway/app/metrics.hpp"
#include "gateway/core/clock.hpp"
#include "routing/route_table.hpp"

namespace tollgate::app {

/// `{"targets":[{"model","provider","target","breaker","latency_ms","in_flight","cooldown_ms",
/// "waiting","last_error",...}]}`, in the file's order; under a wildcard one entry for each name
/// that was asked for lately. `concurrent`: how many attempts the provider may have at a time;
/// `waiting`: calls in its line.
[[nodiscard]] std::string targets_json(const routing::RouteTable& routes, SteadyTime now);

/// Sets the gauges of every target; all names under a wildcard are one, with the worst state.
void count_targets(Metrics& metrics, const routing::RouteTable& routes, SteadyTime now);

/// Sets the series of every model with a queue.
void count_queues(Metrics& metrics, const routing::RouteTable& routes);

}  // namespace tollgate::app
