#include "gateway/app/target_report.hpp"

#include <algorithm>

#include "gateway/wire/json_writer.hpp"
#include "routing/health_registry.hpp"

namespace tollgate::app {
namespace {

using routing::BreakerState;
using routing::ProviderEntry;
using routing::Route;
using routing::Target;
using routing::TargetHealth;
using Millis = std::chrono::milliseconds;

std::int64_t whole_millis(std::chrono::nanoseconds time) {
  return std::chrono::ceil<Millis>(time).count();
}

double millis(std::chrono::nanoseconds time) {
  // Two decimals are more than anybody reads.
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(time).count() / 10) /
         100;
}

void write_keys(wire::JsonWriter& json, const TargetHealth::Snapshot& seen) {
  const bool ready = std::ranges::any_of(
      seen.keys_rest, [](std::chrono::nanoseconds rest) { return rest.count() == 0; });
  const auto soonest = std::ranges::min(seen.keys_rest);
  json.member("cooldown_ms", ready ? std::int64_t{0} : whole_millis(soonest));
  if (seen.keys_rest.size() < 2) return;
  json.key("keys_cooldown_ms").begin_array();
  for (const std::chrono::nanoseconds rest : seen.keys_rest)
    json.value(whole_millis(rest));
  json.end_array();
}

void write_target(wire::JsonWriter& json, const Route& route, const Target& target,
                  const TargetHealth& health, SteadyTime now) {
  const TargetHealth::Snapshot seen = health.snapshot(now);
  json.begin_object()
      .member("model", route.name)
      .member("provider", target.provider->name)
      .member("target", health.model())
      .member("weight", target.weight)
      .member("breaker", to_string(seen.state));
  if (!seen.reason.empty()) {
    json.member("reason", seen.reason).member("retry_in_ms", whole_millis(seen.reopens_in));
  }
  json.member("times_opened", seen.opened)
      .member("latency_ms", millis(seen.latency))
      .member("in_flight", seen.in_flight);
  write_keys(json, seen);
  if (const auto& limit = health.limit()) {
    if (const auto most = limit->concurrent(); most > 0) json.member("concurrent", most);
    json.member("waiting", limit->line().size());
  }
  json.key("last_error");
  if (seen.last_error_ago.count() < 0) {
    json.null();
  } else {
    json.begin_object()
        .member("code", seen.last_error)
        .member("ms_ago", whole_millis(seen.last_error_ago))
        .end_object();
  }
  json.end_object();
}

double level(BreakerState state) {
  if (state == BreakerState::closed) return 0;
  return state == BreakerState::open ? 2 : 1;
}

}  // namespace

std::string targets_json(const routing::RouteTable& routes, SteadyTime now) {
  std::string text;
  wire::JsonWriter json(text);
  json.begin_object().key("targets").begin_array();
  for (const auto& route : routes.routes()) {
    for (std::size_t i = 0; i < route->targets.size(); ++i) {
      for (const auto& health : routing::healths_of(*route, i))
        write_target(json, *route, route->targets[i], *health, now);
    }
  }
  json.end_array().end_object();
  return text;
}

void count_targets(Metrics& metrics, const routing::RouteTable& routes, SteadyTime now) {
  for (const auto& route : routes.routes()) {
    for (std::size_t i = 0; i < route->targets.size(); ++i) {
      const Target& target = route->targets[i];
      double worst = 0, opened = 0, in_flight = 0, slowest = 0;
      for (const auto& health : routing::healths_of(*route, i)) {
        const TargetHealth::Snapshot seen = health->snapshot(now);
        worst = std::max(worst, level(seen.state));
        opened += static_cast<double>(seen.opened);
        in_flight += seen.in_flight;
        slowest = std::max(slowest, std::chrono::duration<double>(seen.latency).count());
      }
      const ProviderEntry& provider = *target.provider;
      if (provider.adaptive && target.health) {
        metrics.gauge("tollgate_provider_concurrent", "Attempts at a time that it may have, found.",
                      target.health->limit()->concurrent(), {{"provider", provider.name}});
      }
      const prometheus::Labels labels{{"provider", target.provider->name},
                                      {"upstream_model", target.model}};
      metrics.gauge("tollgate_breaker_state",
                    "0: closed, 1: on trial (half open or in its slow start), 2: open.", worst,
                    labels);
      metrics.raise("tollgate_breaker_opened_total", "How often the breaker opened.", opened,
                    labels);
      metrics.gauge("tollgate_target_in_flight", "Attempts under way.", in_flight, labels);
      metrics.gauge("tollgate_target_first_token_seconds",
                    "Time to the first token: a moving average that follows peaks at once.",
                    slowest, labels);
    }
  }
}

void count_queues(Metrics& metrics, const routing::RouteTable& routes) {
  for (const auto& route : routes.routes()) {
    if (!route->waiting) continue;
    metrics.gauge("tollgate_queue_waiting", "Calls that wait for a place at a provider.",
                  route->waiting->waiting(), {{"model", route->name}});
    for (std::size_t i = 0; i < routing::queue_ends.size(); ++i) {
      metrics.raise("tollgate_queue_calls_total", "Calls that waited, or could not, by the end.",
                    static_cast<double>(route->waiting->ended(static_cast<routing::QueueEnd>(i))),
                    {{"model", route->name}, {"result", std::string(routing::queue_ends[i])}});
    }
    metrics.raise("tollgate_queue_wait_seconds_total", "Time that calls have waited.",
                  route->waiting->waited_seconds(), {{"model", route->name}});
  }
}

}  // namespace tollgate::app
