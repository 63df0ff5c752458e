#include "routing/route_table.hpp"

#include <algorithm>

#include "routing/balance.hpp"

namespace tollgate::routing {
namespace {

using Providers = std::unordered_map<std::string, std::shared_ptr<const ProviderEntry>>;

std::vector<Target> usable_targets(const config::ModelConfig& model, const Providers& providers) {
  std::vector<Target> targets;
  for (const config::TargetConfig& target : model.targets) {
    const auto found = providers.find(target.provider);
    if (found == providers.end()) continue;  // disabled: its key expanded to nothing
    targets.push_back({.provider = found->second,
                       .model = target.model,
                       .weight = target.weight,
                       .health = nullptr});
  }
  return targets;
}

std::unique_ptr<Route> make_route(const std::string& name, const config::ModelConfig& model,
                                  std::vector<Target> targets) {
  auto route = std::make_unique<Route>();
  route->name = name;
  route->wildcard = name.ends_with('*');
  route->targets = std::move(targets);
  route->strategy = model.strategy;
  if (model.strategy == config::Strategy::weighted) route->cycle = weighted_cycle(route->targets);
  route->affinity = model.affinity;
  route->breaker = model.breaker;
  route->queue = model.queue;
  route->timeout = model.timeout;
  route->hold_back = model.hold_back;
  route->defaults = model.defaults;
  route->refuse_unsupported = model.unsupported_params == config::UnsupportedParams::refuse;
  route->drain_on_disconnect = model.on_disconnect == config::OnDisconnect::drain;
  if (model.hedge) route->hedging = std::make_unique<Hedging>(*model.hedge);
  route->continue_streams = model.continue_streams;
  route->retry = {model.retry.attempts, model.retry.base, model.retry.cap};
  route->attempts_max = model.max_attempts;
  route->fallback = model.fallback;
  route->context_window_fallback = model.context_window_fallback;
  if (model.retry.attempts > 1 && model.max_attempts > 1) {
    for (Target& target : route->targets)
      target.repeats = &route->repeats.emplace_back(model.retry.budget.permille);
  }
  return route;
}

}  // namespace

RouteTable::RouteTable(const config::Config& config, const Providers& providers) {
  for (const auto& [name, model] : config.models) {
    std::vector<Target> targets = usable_targets(model, providers);
    if (targets.empty()) continue;
    routes_.push_back(make_route(name, model, std::move(targets)));
    Route& route = *routes_.back();
    route.index = routes_.size() - 1;
    if (route.wildcard) {
      prefixes_.emplace_back(name.substr(0, name.size() - 1), &route);
    } else {
      exact_.emplace(name, &route);
    }
  }
  std::ranges::sort(prefixes_, std::ranges::greater{},
                    [](const auto& prefix) { return prefix.first.size(); });
}

std::optional<Match> RouteTable::find(std::string_view model) const {
  if (const auto found = exact_.find(model); found != exact_.end()) {
    return Match{found->second, {}};
  }
  for (const auto& [prefix, route] : prefixes_) {
    if (model.starts_with(prefix)) return Match{route, model.substr(prefix.size())};
  }
  return std::nullopt;
}

}  // namespace tollgate::routing
