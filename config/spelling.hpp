// How fields are spelled: what a field asks of its value, how enums are written, where each section
// stands. Private to config/*.cpp; see fields.hpp.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace tollgate::config {

using Words = std::span<const std::string_view>;

/// What a field asks of its value beyond its type.
struct Rule {
  bool required = false;
  std::uint64_t min = 0;  ///< whole numbers; milliseconds; bytes
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  Words words{};              ///< the only words that text may be; with `path` a path too
  bool path = false;          ///< counts from the file that names it
  bool digest = false;        ///< shown by its first digits only
  bool host_only = false;     ///< a URL whose path is a credential: shown up to its host
  std::string_view absent{};  ///< what holds without the key, where the member cannot tell
};

/// How an enum is spelled; `later` are the contract's values that this build does not have.
template <class E>
struct Spelling;
template <>
struct Spelling<Strategy> {
  static constexpr std::array<std::string_view, 5> names{"ordered", "weighted", "least_latency",
                                                         "least_busy", "cheapest"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<Affinity> {
  static constexpr std::array<std::string_view, 2> names{"prefix", "user"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<UnsupportedParams> {
  static constexpr std::array<std::string_view, 2> names{"drop", "refuse"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<OnDisconnect> {
  static constexpr std::array<std::string_view, 2> names{"cancel", "drain"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<Auth> {
  static constexpr std::array<std::string_view, 2> names{"keys", "none"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<LogBodies> {
  static constexpr std::array<std::string_view, 1> names{"off"};
  static constexpr std::array<std::string_view, 1> later{"*"};  // whatever else it will be
};

template <>
struct Spelling<CacheStore> {
  static constexpr std::array<std::string_view, 2> names{"memory", "redis"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<CacheWhen> {
  static constexpr std::array<std::string_view, 3> names{"deterministic", "always", "on_request"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<CacheReplay> {
  static constexpr std::array<std::string_view, 2> names{"instant", "paced"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<TenantCache> {
  static constexpr std::array<std::string_view, 3> names{"tenant", "shared", "off"};
  static constexpr std::array<std::string_view, 0> later{};
};

/// Members whose C++ type does not tell how the file spells them.
struct JsonMembers {
  std::vector<std::pair<std::string, std::string>>& members;  ///< any YAML -> JSON text
};
struct TextMembers {
  std::vector<std::pair<std::string, std::string>>& members;  ///< any scalar -> its text
};
struct Lookup {
  bool& by_hash;  ///< `id` | `hash`
};
struct OffOr {
  Duration& interval;  ///< `off` (0) | a duration
};
struct Downgrade {
  std::string& model;  ///< `deny` | `{downgrade: model}`
};

/// `off`, or a section that says in `on` whether it holds.
template <class T>
struct OrOff {
  T& section;
};

template <>
struct Spelling<BudgetPer> {
  static constexpr std::array<std::string_view, 5> names{"hour", "day", "week", "month", "total"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<BudgetReserve> {
  static constexpr std::array<std::string_view, 2> names{"bound", "estimate"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<UnknownPrice> {
  static constexpr std::array<std::string_view, 3> names{"deny", "estimate", "allow"};
  static constexpr std::array<std::string_view, 0> later{};
};

template <>
struct Spelling<RedisMode> {
  static constexpr std::array<std::string_view, 3> names{"single", "sentinel", "cluster"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<OnStoreError> {
  static constexpr std::array<std::string_view, 3> names{"local", "allow", "deny"};
  static constexpr std::array<std::string_view, 0> later{};
};
template <>
struct Spelling<OnCacheError> {
  static constexpr std::array<std::string_view, 1> names{"bypass"};
  static constexpr std::array<std::string_view, 0> later{};
};

inline constexpr std::array<std::string_view, 6> log_levels{"trace", "debug", "info",
                                                            "warn",  "error", "off"};
inline constexpr std::array<std::string_view, 2> log_formats{"json", "text"};
inline constexpr std::array<std::string_view, 2> log_outputs{"stderr", "stdout"};
inline constexpr std::array<std::string_view, 3> access_outputs{"stdout", "stderr", "off"};

// The place of each section, as not_supported.cpp and messages name it.
constexpr std::string_view section_of(const Config*) { return ""; }
constexpr std::string_view section_of(const Listen*) { return "listen"; }
constexpr std::string_view section_of(const ListenTls*) { return "listen.tls"; }
constexpr std::string_view section_of(const ListenLimits*) { return "listen.limits"; }
constexpr std::string_view section_of(const ListenTimeouts*) { return "listen.timeouts"; }
constexpr std::string_view section_of(const ProviderConfig*) { return "providers.*"; }
constexpr std::string_view section_of(const ProviderTimeouts*) { return "providers.*.timeouts"; }
constexpr std::string_view section_of(const ProviderTls*) { return "providers.*.tls"; }
constexpr std::string_view section_of(const ProviderLimits*) { return "providers.*.limits"; }
constexpr std::string_view section_of(const ModelConfig*) { return "models.*"; }
constexpr std::string_view section_of(const TargetConfig*) { return "models.*.targets[]"; }
constexpr std::string_view section_of(const QueueConfig*) { return "models.*.queue"; }
constexpr std::string_view section_of(const RetryConfig*) { return "models.*.retry"; }
constexpr std::string_view section_of(const BreakerConfig*) { return "models.*.breaker"; }
constexpr std::string_view section_of(const HedgeConfig*) { return "models.*.hedge"; }
constexpr std::string_view section_of(const TenantConfig*) { return "tenants.*"; }
constexpr std::string_view section_of(const KeyConfig*) { return "tenants.*.keys[]"; }
constexpr std::string_view section_of(const IdempotencyConfig*) { return "idempotency"; }
constexpr std::string_view section_of(const LogConfig*) { return "log"; }
constexpr std::string_view section_of(const LimitsConfig*) { return "limits"; }
constexpr std::string_view section_of(const BudgetConfig*) { return "budgets[]"; }
constexpr std::string_view section_of(const TierConfig*) { return "tiers.*"; }
constexpr std::string_view section_of(const ProviderPrice*) { return "providers.*.price"; }
constexpr std::string_view section_of(const PricesConfig*) { return "prices"; }
constexpr std::string_view section_of(const TenantPrices*) { return "tenants.*.prices"; }
constexpr std::string_view section_of(const StoreConfig*) { return "store"; }
constexpr std::string_view section_of(const RedisConfig*) { return "store.redis"; }
constexpr std::string_view section_of(const OnErrorConfig*) { return "store.on_error"; }
constexpr std::string_view section_of(const LedgerConfig*) { return "ledger"; }
constexpr std::string_view section_of(const SqliteConfig*) { return "ledger.sqlite"; }
constexpr std::string_view section_of(const PostgresConfig*) { return "ledger.postgres"; }
constexpr std::string_view section_of(const CacheConfig*) { return "cache"; }
constexpr std::string_view section_of(const CacheKeyConfig*) { return "cache.encryption_keys[]"; }
constexpr std::string_view section_of(const JournalConfig*) { return "ledger.journal"; }

}  // namespace tollgate::config
