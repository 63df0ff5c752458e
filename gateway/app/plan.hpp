// Plan: everything a call needs, built from one configuration: providers, routes, keys, policies.
// Immutable and swapped whole at a reload; a running call keeps the plan that admitted it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "config/config.hpp"
#include "gateway/core/error.hpp"
#include "policies/cache/envelope.hpp"
#include "policies/keys.hpp"
#include "policies/money/tariff.hpp"
#include "policies/registry.hpp"
#include "policies/scopes.hpp"
#include "routing/route_table.hpp"
#include "routing/target.hpp"

namespace tollgate {

using ProviderMap = std::unordered_map<std::string, std::shared_ptr<const routing::ProviderEntry>>;

struct Plan {
  explicit Plan(config::Config loaded);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  config::Config config;
  ProviderMap providers;
  routing::RouteTable routes;
  policies::ScopeTable scopes;
  policies::Tariffs tariffs;
  policies::KeyTable keys;
  policies::PolicyList policies;
  cache::Envelope envelope;  ///< of replies that stand in Redis
  SystemTime built_at = std::chrono::system_clock::now();
};

namespace app {

/// `https://host[:port][/path]` as a provider's address. Validated by config; a URL that is none
/// gives an empty host.
[[nodiscard]] routing::Address parse_base_url(std::string_view url);

}  // namespace app
}  // namespace tollgate
