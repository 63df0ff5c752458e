// Validation of the store: what its URL must look like, which keys go together, and which ledger
// budgets in Redis can be filled from.
#include <algorithm>
#include <charconv>

#include "config/validate.hpp"

namespace tollgate::config {
namespace {

bool is_number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc{} && end == text.data() + text.size() && value <= most;
}

/// `host`, `host:port`, `[v6]:port`.
bool is_place(std::string_view text) {
  if (text.find_first_of(" /?#@") != std::string_view::npos) return false;
  std::string_view behind;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    behind = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon == 0 || text.empty()) return false;
    behind = colon == std::string_view::npos ? "" : text.substr(colon);
  }
  if (behind.empty()) return true;
  return behind.front() == ':' && is_number(behind.substr(1), 65535) && behind != ":0";
}

/// What is wrong with the URL, or nothing; never shows it: a password may stand in it.
std::string_view redis_url_problem(std::string_view url) {
  const bool tls = url.starts_with("rediss://");
  if (!tls && !url.starts_with("redis://")) {
    return "the URL of Redis begins with redis:// or rediss://";
  }
  url.remove_prefix(tls ? 9 : 8);
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    url.remove_prefix(at + 1);
  }
  const std::size_t slash = url.find('/');
  if (!is_place(url.substr(0, slash))) return "host and port of Redis cannot be read";
  const std::string_view database =
      slash == std::string_view::npos ? std::string_view{} : url.substr(slash + 1);
  if (!database.empty() && !is_number(database, 1'000'000)) {
    return "what follows the host of Redis is the number of a database";
  }
  return {};
}

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

void check_redis(const Checking& check, const RedisConfig& redis) {
  if (!redis.url.value.empty()) {
    const std::string_view wrong = redis_url_problem(redis.url.value);
    if (!wrong.empty()) check.complain({"store", "redis", "url"}, std::string(wrong));
  }
  for (std::size_t i = 0; i < redis.nodes.size(); ++i) {
    if (is_place(redis.nodes[i])) continue;
    check.complain({"store", "redis", "nodes", std::to_string(i)}, "a node is host:port");
  }
  const bool sentinel = redis.mode == RedisMode::sentinel;
  if (sentinel && (redis.master.empty() || redis.nodes.empty())) {
    check.complain({"store", "redis", "mode"}, "\"sentinel\" needs \"master\" and \"nodes\"");
  }
  if (!sentinel) {
    check.complain({"store", "redis", "master"}, "\"master\" goes with \"mode: sentinel\"");
  }
  if (redis.mode == RedisMode::single && !redis.nodes.empty()) {
    check.complain({"store", "redis", "nodes"}, "\"nodes\" go with \"sentinel\" or \"cluster\"");
  }
  if (!redis.url.value.starts_with("rediss://")) {
    check.complain({"store", "redis", "tls"}, "\"tls\" goes with rediss://");
  }
  if (redis.prefix.empty() || redis.prefix.find_first_of("{} \t\n") != std::string::npos) {
    check.complain({"store", "redis", "prefix"}, "a prefix is text without blanks and braces");
  }
}

}  // namespace

void check_store(const Checking& check) {
  const auto& redis = check.config.store.redis;
  if (!redis) return;
  check_redis(check, *redis);
  // M23: what Redis loses could only be filled with what one replica spent.
  if (!check.config.ledger.postgres && !redis->persistent && any_budget(check.config)) {
    check.complain({"store", "redis"},
                   "budgets in Redis need a ledger that replicas share (ledger.postgres), or "
                   "\"persistent: true\" where this Redis keeps its data over restarts");
  }
}

}  // namespace tollgate::config
