// Config: the operator's file as plain values. Each struct is one section; its visit_fields
// (config/fields.hpp) names every key once and yields reading, unknown-key errors, the JSON Schema
// and the reference table. Built by load.hpp, read-only afterwards; names here match the keys of
// the file.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/core/money.hpp"

namespace tollgate::config {

using Duration = std::chrono::milliseconds;  ///< `250ms 30s 10m 24h 30d`
/// `64KiB 32MiB 4GiB` or plain bytes.
struct Bytes {
  std::uint64_t count = 0;
  bool operator==(const Bytes&) const = default;
};
/// `host:port`, `:port` (every address) or `[v6]:port`. `host` is kept as text without brackets.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] std::string text() const;
};
/// Text that must never be shown: masked in /admin/config and every message.
struct Secret {
  std::string value;
  bool operator==(const Secret&) const = default;
};

/// US dollars in the file (`100`, `0.25`, at most nine decimals), exact.
struct Usd {
  NanoUsd nano = 0;
  bool operator==(const Usd&) const = default;
};

/// `limits:` of a tenant, key, tier or model; `per_user:` likewise. Absent or 0: no such limit.
struct LimitsConfig {
  std::optional<std::uint64_t> requests_per_minute, tokens_per_minute;
  std::optional<std::uint32_t> concurrent;
  std::optional<Duration> burst;  ///< absent: a minute
  std::optional<bool> enforce;    ///< absent: true
};
/// `0.8`: a share of something, above 0 and at most 1.
struct Share {
  std::uint32_t permille = 0;
  bool operator==(const Share&) const = default;
};
enum class BudgetPer : std::uint8_t { hour, day, week, month, total };
enum class BudgetReserve : std::uint8_t { bound, estimate };
struct BudgetConfig {
  Usd usd;
  BudgetPer per = BudgetPer::month;
  std::optional<std::chrono::sys_seconds> since;  ///< only with `per: total`
  std::vector<Share> warn_at;                     ///< ascending after loading
  std::string webhook;
  BudgetReserve reserve = BudgetReserve::bound;
  bool enforce = true;
};
/// `deny`, or `{downgrade: model}`.
struct OnBudgetExceeded {
  std::string downgrade;  ///< empty: deny
};
/// `providers.x.price`: US dollars a million tokens; absent kinds as in a price row (M12).
struct ProviderPrice {
  std::optional<Usd> input, output, cache_read, cache_write, cache_write_1h, reasoning, audio_input,
      audio_output, image, request;
};
enum class UnknownPrice : std::uint8_t { deny, estimate, allow };
struct PricesConfig {
  std::vector<std::string> files;  ///< empty: the shipped price book
  UnknownPrice unknown = UnknownPrice::deny;
};
struct TenantPrices {
  std::vector<std::string> files;
};
struct ProviderTls {
  std::string ca_file;
  bool verify = true;
  bool operator==(const ProviderTls&) const = default;
};
enum class RedisMode : std::uint8_t { single, sentinel, cluster };
struct RedisConfig {
  Secret url;  ///< redis:// or rediss://, may hold a password
  RedisMode mode = RedisMode::single;
  std::vector<std::string> nodes;  ///< host:port of sentinels or cluster nodes
  std::string master;              ///< with sentinel
  std::string prefix = "tollgate";
  Duration connect{50}, command{25};
  bool persistent = false;
  ProviderTls tls;
  bool operator==(const RedisConfig&) const = default;
};
/// What holds while Redis is away. local: each replica counts for itself, by the full figures.
enum class OnStoreError : std::uint8_t { local, allow, deny };
enum class OnCacheError : std::uint8_t { bypass };
struct OnErrorConfig {
  OnStoreError limits = OnStoreError::local, budgets = OnStoreError::deny;
  OnStoreError idempotency = OnStoreError::deny;
  OnCacheError cache = OnCacheError::bypass;
  bool operator==(const OnErrorConfig&) const = default;
};
/// Without `redis` every process counts for itself.
struct StoreConfig {
  std::optional<RedisConfig> redis;
  Duration lease{std::chrono::seconds(60)};
  OnErrorConfig on_error;
  bool operator==(const StoreConfig&) const = default;
};
struct JournalConfig {
  std::string dir;  ///< empty: the SQLite file's folder, `.` with PostgreSQL
  bool fsync = false;
  Bytes max_bytes{4ULL << 30U};
  bool operator==(const JournalConfig&) const = default;
};
struct SqliteConfig {
  std::string path = "tollgate.db";  ///< `./tollgate.db`
  bool operator==(const SqliteConfig&) const = default;
};
struct PostgresConfig {
  Secret url;
  bool operator==(const PostgresConfig&) const = default;
};
struct LedgerConfig {
  std::optional<SqliteConfig> sqlite;
  std::optional<PostgresConfig> postgres;  ///< at most one of the two
  JournalConfig journal;
  Duration retention{std::chrono::days(400)};
  bool operator==(const LedgerConfig&) const = default;
};

enum class CacheStore : std::uint8_t { memory, redis };
/// Which calls may be answered from the cache: those with temperature 0 or a seed, all, or those
/// that say max-age.
enum class CacheWhen : std::uint8_t { deterministic, always, on_request };
enum class CacheReplay : std::uint8_t { instant, paced };
/// One of several keys that seal what stands in Redis.
struct CacheKeyConfig {
  std::string id;
  Secret key;  ///< 32 bytes, base64
};
struct CacheConfig {
  CacheStore store = CacheStore::memory;
  Duration ttl{600'000};
  Bytes max_bytes{256U << 20U}, max_entry{1U << 20U};
  CacheWhen when = CacheWhen::deterministic;
  CacheReplay replay = CacheReplay::instant;
  bool embeddings = true;  ///< per input, also inside a batch
  bool coalesce = true;    ///< equal calls at the same time ask a provider once
  Secret encryption_key;   ///< the only one; or
  std::vector<CacheKeyConfig> encryption_keys;
  std::optional<RedisConfig> redis;  ///< absent: the one under `store`
};
/// Whose stored replies a tenant is answered from.
enum class TenantCache : std::uint8_t { tenant, shared, off };

struct ListenTls {
  std::string cert_file, key_file;
};
struct ListenLimits {
  Bytes header_bytes{64U << 10U}, body_bytes{32U << 20U};
  std::uint32_t connections = 20000, in_flight = 10000;
};
struct ListenTimeouts {
  Duration header{10000}, body_idle{30000}, write_idle{60000}, keep_alive{650000}, drain{300000};
};
struct Listen {
  HostPort http{"127.0.0.1", 8080};
  std::optional<ListenTls> tls;
  std::optional<HostPort> admin;  ///< loading fills in 127.0.0.1:9901 where the key is absent
  Secret admin_token;
  std::optional<HostPort> metrics;
  std::uint32_t workers = 0;
  std::vector<std::string> cors;
  ListenLimits limits;
  ListenTimeouts timeouts;
  Duration heartbeat{15000};
};

struct ProviderTimeouts {
  Duration connect{3000}, first_byte{300000}, idle{120000};
};
/// What the provider allows us; absent or 0: no such limit.
struct ProviderLimits {
  std::optional<std::uint64_t> requests_per_minute, tokens_per_minute;
  std::optional<std::uint32_t> concurrent;
  bool adaptive = false;
};
struct ProviderConfig {
  std::string kind, base_url;
  std::optional<Secret> api_key;
  std::vector<Secret> api_keys;
  std::vector<std::string> allow_fields;
  std::vector<std::pair<std::string, Secret>> headers;
  ProviderTimeouts timeouts;
  ProviderTls tls;
  std::optional<ProviderPrice> price;  ///< for all its models; else the price book
  std::optional<ProviderLimits> limits;
  Duration probe{0};      ///< 0: off
  bool disabled = false;  ///< a key expanded to nothing
};

enum class Strategy : std::uint8_t { ordered, weighted, least_latency, least_busy, cheapest };
enum class Affinity : std::uint8_t { prefix, user };
enum class UnsupportedParams : std::uint8_t { drop, refuse };
enum class OnDisconnect : std::uint8_t { cancel, drain };
struct TargetConfig {
  std::string provider, model;
  std::uint32_t weight = 1;
};
struct RetryConfig {
  std::uint32_t attempts = 3;
  Duration base{250}, cap{8000};
  Share budget{200};
};
struct BreakerConfig {
  std::uint32_t failures = 5;
  Duration open_for{30000};
  Share error_rate{500};
  Duration window{10000}, max_open_for{300000}, slow_start{10000};
};
struct QueueConfig {
  Duration wait{2000};
  std::uint32_t max = 100;
};
/// `800ms`, or `p95`: the time that so many of a hundred recent first tokens took at most.
struct HedgeAfter {
  std::uint32_t percentile = 95;  ///< 0: `time`
  Duration time{0};
};
struct HedgeConfig {
  HedgeAfter after;
  Share max_share{50};
};
struct ModelConfig {
  std::vector<TargetConfig> targets;
  Strategy strategy = Strategy::ordered;
  Duration timeout{600000}, hold_back{15000};
  OnDisconnect on_disconnect = OnDisconnect::cancel;
  std::vector<std::pair<std::string, std::string>> defaults;  ///< name -> JSON text
  UnsupportedParams unsupported_params = UnsupportedParams::drop;
  RetryConfig retry;
  BreakerConfig breaker;
  std::optional<Affinity> affinity;
  std::optional<QueueConfig> queue;
  std::uint32_t max_attempts = 6;
  bool continue_streams = false;
  std::optional<HedgeConfig> hedge;
  std::vector<std::string> fallback, context_window_fallback;  ///< names of models
  LimitsConfig limits;                                         ///< over all tenants
  std::vector<BudgetConfig> budgets;
};

struct KeyConfig {
  std::string id;
  std::string sha256;                               ///< lower-case hex of the whole secret
  std::optional<std::chrono::sys_seconds> expires;  ///< `2027-01-01` (00:00 UTC) or RFC 3339
  std::optional<std::vector<std::string>> models;
  bool by_hash = false;  ///< `lookup: hash`
  std::vector<std::string> formerly;
  LimitsConfig limits;
  std::vector<BudgetConfig> budgets;
};
/// A named bundle; a tenant's own entries win.
struct TierConfig {
  std::optional<LimitsConfig> limits, per_user;
  std::vector<BudgetConfig> budgets;
  std::optional<std::vector<std::string>> models;
};
struct TenantConfig {
  std::vector<KeyConfig> keys;
  std::optional<std::vector<std::string>> models;
  std::vector<std::pair<std::string, Secret>> provider_keys;
  std::vector<std::pair<std::string, std::string>> tags;
  std::string parent, tier;
  std::vector<std::string> formerly;
  // What the file says, or after loading the tier's: limits key by key, per_user likewise; budgets
  // where the tenant has none of that `per`; models where it has none.
  std::optional<LimitsConfig> limits, per_user;
  std::vector<BudgetConfig> budgets;
  std::uint32_t clip_min_tokens = 256;
  OnBudgetExceeded on_budget_exceeded;
  std::uint32_t weight = 1;  ///< share of a queue
  TenantPrices prices;       ///< its own agreements
  TenantCache cache = TenantCache::tenant;
};

/// `idempotency: off`, or a section.
struct IdempotencyConfig {
  bool on = true;
  Duration ttl{std::chrono::hours(24)};
  Bytes max_bytes{256U << 20U};
};

enum class Auth : std::uint8_t { keys, none };
enum class LogBodies : std::uint8_t { off };
struct LogConfig {
  std::string level = "info";     ///< trace debug info warn error off
  std::string format = "json";    ///< json | text
  std::string output = "stderr";  ///< stderr | stdout | a path
  std::string access = "stdout";  ///< stdout | stderr | off | a path
  LogBodies bodies = LogBodies::off;
};

struct Prices;

struct Config {
  int version = 1;
  std::vector<std::string> include;
  Listen listen;
  std::map<std::string, ProviderConfig> providers;
  std::vector<std::pair<std::string, ModelConfig>> models;  ///< in the file's order
  std::map<std::string, TierConfig> tiers;
  std::map<std::string, TenantConfig> tenants;
  PricesConfig prices;
  StoreConfig store;
  std::optional<CacheConfig> cache;  ///< absent: no cache
  IdempotencyConfig idempotency;
  LedgerConfig ledger;
  Auth auth = Auth::keys;
  LogConfig log;

  std::shared_ptr<const Prices> price_books;  ///< what `prices` and the tenants' files hold

  std::string source;               ///< the file's path, or "(built in)"
  std::vector<std::string> files;   ///< what the watch looks at: every file read (includes,
                                    ///< ${file:}, certificates) and the folders of include globs
  bool published_demo_key = false;  ///< the shipped demo key is among the keys
};

}  // namespace tollgate::config
