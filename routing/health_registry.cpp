#include "routing/health_registry.hpp"

#include "routing/route_table.hpp"

namespace tollgate::routing {
namespace {

void mix(std::size_t& hash, std::string_view text) {
  hash = hash * 31 + std::hash<std::string_view>{}(text);
}

/// What makes a provider another one: what was learned of the old one says nothing about it.
std::size_t identity_of(const ProviderEntry& provider) {
  std::size_t hash = 0;
  mix(hash, provider.kind);
  mix(hash, provider.address.authority());
  mix(hash, provider.address.base_path);
  mix(hash, provider.tls.ca_file + (provider.tls.verify ? "+" : "-"));
  for (const std::string& key : provider.api_keys)
    mix(hash, key);
  for (const auto& [name, value] : provider.headers)
    mix(hash, name + value);
  return hash;
}

BreakerRules rules_of(const config::BreakerConfig& from) {
  return {.failures = from.failures,
          .open_for = from.open_for,
          .error_permille = from.error_rate.permille,
          .window = from.window,
          .max_open_for = from.max_open_for,
          .slow_start = from.slow_start};
}

}  // namespace

void WildHealth::set(const BreakerRules& rules, Named named,
                     std::shared_ptr<const BreakerListener> listener) {
  const std::scoped_lock lock(mutex_);
  rules_ = rules;
  listener_ = std::move(listener);
  named_ = std::move(named);
  for (const auto& health : latest_)
    health->set_rules(rules, listener_);
}

std::shared_ptr<TargetHealth> WildHealth::of(std::string_view model) {
  if (model.size() > name_bytes_max) return nullptr;
  const std::scoped_lock lock(mutex_);
  if (const auto named = named_.find(model); named != named_.end()) return named->second;
  if (const auto place = places_.find(model); place != places_.end()) {
    latest_.splice(latest_.begin(), latest_, place->second);
    return latest_.front();
  }
  if (latest_.size() >= names_max) {
    places_.erase(latest_.back()->model());
    latest_.pop_back();
  }
  auto health = std::make_shared<TargetHealth>(provider_, std::string(model), keys_, limit_);
  health->set_rules(rules_, listener_);
  latest_.push_front(health);
  places_.emplace(health->model(), latest_.begin());
  return health;
}

std::vector<std::shared_ptr<TargetHealth>> WildHealth::all() const {
  const std::scoped_lock lock(mutex_);
  return {latest_.begin(), latest_.end()};
}

std::vector<std::shared_ptr<TargetHealth>> healths_of(const Route& route, std::size_t index) {
  if (index < route.wild.size() && route.wild[index]) return route.wild[index]->all();
  const auto& health = route.targets[index].health;
  if (!health) return {};
  return {health};
}

/// The table's targets with what is known of them already; the strictest of their models' rules.
HealthRegistry::Entries HealthRegistry::gather(const RouteTable& table) {
  Entries fresh;
  for (const auto& route : table.routes()) {
    const BreakerRules rules = rules_of(route->breaker);
    for (const Target& target : route->targets) {
      const Key key{target.provider->name, target.model};
      const auto [place, first] = fresh.try_emplace(key);
      Entry& entry = place->second;
      entry.rules = first ? rules : entry.rules.stricter(rules);
      if (!first) continue;
      entry.identity = identity_of(*target.provider);
      limit_of(*target.provider)
          ->set({.requests_per_minute = target.provider->requests_per_minute,
                 .tokens_per_minute = target.provider->tokens_per_minute,
                 .concurrent = target.provider->concurrent,
                 .adaptive = target.provider->adaptive});
      const auto known = entries_.find(key);
      if (known != entries_.end() && known->second.identity == entry.identity) {
        entry.health = known->second.health;
        entry.wild = known->second.wild;
      } else if (const std::size_t keys = target.provider->api_keys.size(); target.model == "*") {
        entry.wild = std::make_shared<WildHealth>(key.first, keys, limit_of(*target.provider));
      } else {
        entry.health =
            std::make_shared<TargetHealth>(key.first, key.second, keys, limit_of(*target.provider));
      }
    }
  }
  return fresh;
}

/// Kept as long as the process: what a provider counts does not end with a reload.
std::shared_ptr<ProviderLimit> HealthRegistry::limit_of(const ProviderEntry& provider) {
  auto& limit = limits_[provider.name];
  if (!limit) limit = std::make_shared<ProviderLimit>();
  return limit;
}

void HealthRegistry::attach(RouteTable& table, SteadyTime now) {
  entries_ = gather(table);
  for (const auto& [key, entry] : entries_) {
    if (entry.health) {
      entry.health->set_rules(entry.rules, listener_);
      continue;
    }
    WildHealth::Named named;
    for (const auto& [other, its] : entries_) {
      if (other.first == key.first && its.health) named.emplace(other.second, its.health);
    }
    entry.wild->set(entry.rules, std::move(named), listener_);
  }
  for (const auto& route : table.routes())
    hand_out(*route);
  // Limits may have been raised.
  for (const auto& [provider, limit] : limits_)
    limit->line().serve(now);
}

void HealthRegistry::dismiss_waiters() {
  for (const auto& [provider, limit] : limits_)
    limit->line().close();
}

void HealthRegistry::hand_out(Route& route) {
  if (route.queue) {
    auto& queue = queues_[route.name];
    if (!queue) queue = std::make_shared<ModelQueue>();
    route.waiting = queue;
  }
  route.wild.clear();
  for (Target& target : route.targets) {
    const Entry& entry = entries_.at({target.provider->name, target.model});
    target.health = entry.health;
    route.wild.push_back(entry.wild);
  }
}

}  // namespace tollgate::routing
