#include <doctest/doctest.h>
#include <set>

#include "config/fields.hpp"
#include "config/not_supported.hpp"
#include "tests/unit/config/support.hpp"

using namespace tollgate::config;

namespace {

using Keys = std::set<std::string>;

// Every key of the contract's file, section by section.
const std::map<std::string, Keys> contract = {
    {"",
     {"version", "include", "listen", "providers", "models", "tiers", "tenants", "auth", "prices",
      "cache", "idempotency", "store", "ledger", "guard", "log", "tracing", "metrics"}},
    {"listen",
     {"http", "tls", "admin", "admin_token", "metrics", "workers", "cors", "limits", "timeouts",
      "heartbeat"}},
    {"listen.tls", {"cert_file", "key_file"}},
    {"listen.limits", {"header_bytes", "body_bytes", "connections", "in_flight"}},
    {"listen.timeouts", {"header", "body_idle", "write_idle", "keep_alive", "drain"}},
    {"providers.*",
     {"kind", "base_url", "api_key", "api_keys", "headers", "timeouts", "limits", "probe", "price",
      "allow_fields", "tls"}},
    {"providers.*.timeouts", {"connect", "first_byte", "idle"}},
    {"providers.*.tls", {"ca_file", "verify"}},
    {"providers.*.limits", {"requests_per_minute", "tokens_per_minute", "concurrent", "adaptive"}},
    {"models.*",
     {"targets", "strategy", "timeout", "retry", "max_attempts", "breaker", "fallback",
      "context_window_fallback", "hedge", "queue", "affinity", "hold_back", "continue_streams",
      "on_disconnect", "defaults", "limits", "budgets", "unsupported_params"}},
    {"models.*.targets[]", {"provider", "model", "weight"}},
    {"models.*.retry", {"attempts", "base", "cap", "budget"}},
    {"models.*.hedge", {"after", "max_share"}},
    {"models.*.breaker",
     {"failures", "open_for", "error_rate", "window", "max_open_for", "slow_start"}},
    {"models.*.queue", {"wait", "max"}},
    {"tenants.*",
     {"parent", "tier", "formerly", "keys", "models", "limits", "per_user", "budgets",
      "clip_min_tokens", "on_budget_exceeded", "weight", "provider_keys", "prices", "cache",
      "tags"}},
    {"tenants.*.keys[]",
     {"id", "sha256", "expires", "models", "limits", "budgets", "lookup", "formerly"}},
    {"limits", {"requests_per_minute", "tokens_per_minute", "concurrent", "burst", "enforce"}},
    {"budgets[]", {"usd", "per", "since", "warn_at", "webhook", "reserve", "enforce"}},
    {"tiers.*", {"limits", "per_user", "budgets", "models"}},
    {"tenants.*.prices", {"files"}},
    {"providers.*.price",
     {"input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning", "audio_input",
      "audio_output", "image", "request"}},
    {"prices", {"files", "unknown"}},
    {"store", {"redis", "lease", "on_error"}},
    {"store.redis",
     {"url", "mode", "nodes", "master", "prefix", "connect", "command", "persistent", "tls"}},
    {"store.on_error", {"limits", "budgets", "idempotency", "cache"}},
    {"ledger", {"sqlite", "postgres", "journal", "retention"}},
    {"ledger.sqlite", {"path"}},
    {"ledger.postgres", {"url"}},
    {"ledger.journal", {"dir", "fsync", "max_bytes"}},
    {"cache.encryption_keys[]", {"id", "key"}},
    {"cache",
     {"store", "ttl", "max_bytes", "max_entry", "when", "embeddings", "coalesce", "replay",
      "encryption_key", "encryption_keys", "redis"}},
    {"idempotency", {"ttl", "max_bytes"}},
    {"log", {"level", "format", "output", "access", "bodies"}},
};

struct Names {
  Keys keys;
  template <class M>
  void operator()(std::string_view name, M&&, std::string_view meaning, const Rule& = {}) {
    CHECK_MESSAGE(keys.emplace(name).second, "twice: ", name);
    CHECK_MESSAGE(meaning.ends_with('.'), "no sentence for ", name);
  }
};

template <class T>
void collect(std::map<std::string, Keys>& into) {
  T section{};
  Names names;
  visit_fields(section, names);
  into[std::string(section_of(&section))] = names.keys;
}

template <class... Sections>
std::map<std::string, Keys> collect_all() {
  std::map<std::string, Keys> out;
  (collect<Sections>(out), ...);
  return out;
}

}  // namespace

TEST_CASE("every key of the contract is either read or refused as not supported yet, never both") {
  std::map<std::string, Keys> known =
      collect_all<Config, Listen, ListenTls, ListenLimits, ListenTimeouts, ProviderConfig,
                  ProviderTimeouts, ProviderTls, ModelConfig, TargetConfig, RetryConfig,
                  BreakerConfig, QueueConfig, HedgeConfig, ProviderLimits, TenantConfig, KeyConfig,
                  IdempotencyConfig, LogConfig, LimitsConfig, BudgetConfig, TierConfig,
                  TenantPrices, ProviderPrice, PricesConfig, LedgerConfig, SqliteConfig,
                  PostgresConfig, JournalConfig, StoreConfig, RedisConfig, OnErrorConfig,
                  CacheConfig, CacheKeyConfig>();
  for (const NotSupported& entry : not_supported_keys()) {
    INFO(entry.section, " ", entry.key);
    CHECK(known[std::string(entry.section)].emplace(entry.key).second);
  }
  for (const auto& [section, keys] : contract) {
    INFO(section);
    CHECK(known[section] == keys);
  }
  CHECK(known.size() == contract.size());
}

TEST_CASE("every key that is not there yet says so where it stands") {
  const std::map<std::string, std::pair<std::string, std::string>> around = {
      {"", {"", ""}},
      {"providers.*", {"providers: {p: {kind: openai, ", "}}"}},
      {"providers.*.limits", {"providers: {p: {kind: openai, limits: {", "}}}"}},
      {"models.*", {"models: {m: {targets: [{provider: p, model: x}], ", "}}"}},
      {"models.*.retry", {"models: {m: {targets: [{provider: p, model: x}], retry: {", "}}}"}},
      {"ledger", {"ledger: {", "}"}},
      {"cache", {"cache: {", "}"}},
      {"tenants.*", {"tenants: {t: {", "}}"}},
      {"tenants.*.keys[]", {"tenants: {t: {keys: [{id: a, sha256: " + digest + ", ", "}]}}"}},
  };
  for (const NotSupported& entry : not_supported_keys()) {
    const auto& [open, close] = around.at(std::string(entry.section));
    std::string text = "version: 1\n";
    if (!entry.section.starts_with("tenants")) text += "tenants: {t: {}}\n";
    if (!entry.section.starts_with("providers")) text += "providers: {p: {kind: openai}}\n";
    const std::string key(entry.key);
    const std::string problems = report(text + open + key + ": {}" + close + "\n");
    INFO(key);
    CHECK(problems.ends_with(": \"" + key + "\" is not supported yet\n"));
    CHECK(std::count(problems.begin(), problems.end(), '\n') == 1);
  }
}
