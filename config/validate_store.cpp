// Validation of the store: what its URL must look like, which keys go together, and which ledger
// budgets in Redis can be filled from.
#include <algorithm>

#include "config/redis_url.hpp"
#include "config/validate.hpp"

namespace tollgate::config {
namespace {

bool enforces(const std::vector<BudgetConfig>& budgets) {
  return std::ranges::any_of(budgets, &BudgetConfig::enforce);
}

bool any_budget(const Config& config) {
  for (const auto& [name, model] : config.models) {
    if (enforces(model.budgets)) return true;
  }
  for (const auto& [name, tenant] : config.tenants) {
    if (enforces(tenant.budgets)) return true;
    for (const KeyConfig& key : tenant.keys) {
      if (enforces(key.budgets)) return true;
    }
  }
  return false;
}

}  // namespace

void check_redis(const Checking& check, std::string_view section, const RedisConfig& redis) {
  if (!redis.url.value.empty()) {
    const auto url = parse_redis_url(redis.url.value);
    if (!url) check.complain({section, "redis", "url"}, std::string(url.error()));
  }
  for (std::size_t i = 0; i < redis.nodes.size(); ++i) {
    if (parse_redis_place(redis.nodes[i])) continue;
    check.complain({section, "redis", "nodes", std::to_string(i)}, "a node is host:port");
  }
  const bool sentinel = redis.mode == RedisMode::sentinel;
  if (sentinel && (redis.master.empty() || redis.nodes.empty())) {
    check.complain({section, "redis", "mode"}, "\"sentinel\" needs \"master\" and \"nodes\"");
  }
  if (!sentinel) {
    check.complain({section, "redis", "master"}, "\"master\" goes with \"mode: sentinel\"");
  }
  if (redis.mode == RedisMode::single && !redis.nodes.empty()) {
    check.complain({section, "redis", "nodes"}, "\"nodes\" go with \"sentinel\" or \"cluster\"");
  }
  if (!redis.url.value.starts_with("rediss://")) {
    check.complain({section, "redis", "tls"}, "\"tls\" goes with rediss://");
  }
  if (redis.prefix.empty() || redis.prefix.find_first_of("{} \t\n") != std::string::npos) {
    check.complain({section, "redis", "prefix"}, "a prefix is text without blanks and braces");
  }
}

void check_store(const Checking& check) {
  const auto& redis = check.config.store.redis;
  if (!redis) return;
  check_redis(check, "store", *redis);
  // M23: what Redis loses could only be filled with what one replica spent.
  if (!check.config.ledger.postgres && !redis->persistent && any_budget(check.config)) {
    check.complain({"store", "redis"},
                   "budgets in Redis need a ledger that replicas share (ledger.postgres), or "
                   "\"persistent: true\" where this Redis keeps its data over restarts");
  }
}

}  // namespace tollgate::config
