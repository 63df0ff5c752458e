// The fields of limits, budgets, prices and the ledger: see fields.hpp, which includes this.
// Private to config/*.cpp.
#pragma once
#include "config/spelling.hpp"

namespace tollgate::config {

template <class V>
void visit_fields(LimitsConfig& c, V& v) {
  v("requests_per_minute", c.requests_per_minute, "0 or absent: no limit.");
  v("tokens_per_minute", c.tokens_per_minute,
    "Uncached input, cache writes and output; 0 or absent: no limit.");
  v("concurrent", c.concurrent, "Calls at the same time; 0 or absent: no limit.");
  v("burst", c.burst, "How much of a minute a full bucket holds.",
    Rule{.min = 1, .max = 3'600'000, .absent = "1m"});
  v("enforce", c.enforce, "false: counts and warns, denies nothing.");
}

template <class V>
void visit_fields(BudgetConfig& c, V& v) {
  v("usd", c.usd, "US dollars.", Rule{.required = true, .min = 1});
  v("per", c.per, "Its window, UTC; a week begins on Monday.", Rule{.required = true});
  v("since", c.since, "With `per: total`: the day, UTC, from which on spending counts.");
  v("warn_at", c.warn_at, "Shares of it at which a warning is given.");
  v("webhook", c.webhook, "Where warnings are posted to.", Rule{.host_only = true});
  v("reserve", c.reserve, "bound: never passed; estimate: soft.");
  v("enforce", c.enforce, "false: counts and warns, denies nothing.");
}

template <class V>
void visit_fields(TierConfig& c, V& v) {
  v("limits", c.limits, "As of a tenant.");
  v("per_user", c.per_user, "As of a tenant.");
  v("budgets", c.budgets, "As of a tenant.");
  v("models", c.models, "As of a tenant.");
}

template <class V>
void visit_fields(ProviderPrice& c, V& v) {
  v("input", c.input, "Uncached input tokens.");
  v("output", c.output, "Output tokens.");
  v("cache_read", c.cache_read, "Tokens read from a cache; absent: as input.");
  v("cache_write", c.cache_write, "Tokens written to a cache; absent: as input.");
  v("cache_write_1h", c.cache_write_1h, "Those that live an hour; absent: as cache_write.");
  v("reasoning", c.reasoning, "Reasoning tokens; absent: as output.");
  v("audio_input", c.audio_input, "Audio tokens of the input.");
  v("audio_output", c.audio_output, "Audio tokens of the output.");
  v("image", c.image, "US dollars for each image of the output.");
  v("request", c.request, "US dollars for each request.");
}

template <class V>
void visit_fields(PricesConfig& c, V& v) {
  v("files", c.files, "Price books, later ones win; absent: the shipped one.", Rule{.path = true});
  v("unknown", c.unknown,
    "Models without a price, for callers under a budget: deny; estimate (the provider's dearest); "
    "allow (charged 0).");
}

template <class V>
void visit_fields(TenantPrices& c, V& v) {
  v("files", c.files, "Price books of this tenant alone; they win.", Rule{.path = true});
}

template <class V>
void visit_fields(RedisConfig& c, V& v) {
  v("url", c.url, "redis:// or, with TLS, rediss://; user:password@host:port/database.",
    Rule{.required = true});
  v("mode", c.mode, "single; sentinel (nodes are its sentinels); cluster.");
  v("nodes", c.nodes, "host:port of the sentinels, or of further nodes of the cluster.");
  v("master", c.master, "Its name among the sentinels.");
  v("prefix", c.prefix, "Of every key; gateways with the same one count together.");
  v("connect", c.connect, "To connect and be let in.", Rule{.min = 1, .max = 60'000});
  v("command", c.command, "For an answer; afterwards on_error holds.",
    Rule{.min = 1, .max = 60'000});
  v("persistent", c.persistent,
    "true: it keeps its data over restarts, so budgets may stand beside one SQLite ledger per "
    "replica.");
  v("tls", c.tls, "Whom to trust, with rediss://.");
}

template <class V>
void visit_fields(OnErrorConfig& c, V& v) {
  v("limits", c.limits, "local: the full limit per replica; allow; deny.");
  v("budgets", c.budgets, "The same, for callers under a budget.");
  v("idempotency", c.idempotency,
    "deny: a call with an Idempotency-Key is 503; local, allow: its key holds in this replica.");
  v("cache", c.cache, "bypass: calls go by the cache.");
}

template <class V>
void visit_fields(StoreConfig& c, V& v) {
  v("redis", c.redis, "Limits and budgets across replicas; absent: inside this process.");
  v("lease", c.lease, "Of what a running call holds; renewed while it runs.",
    Rule{.min = 1000, .max = 86'400'000});
  v("on_error", c.on_error, "What holds while Redis is away.");
}

template <class V>
void visit_fields(SqliteConfig& c, V& v) {
  v("path", c.path, "The database file; its journal stands beside it.", Rule{.path = true});
}

template <class V>
void visit_fields(PostgresConfig& c, V& v) {
  v("url", c.url, "postgres://user:password@host:5432/database, as libpq takes it.",
    Rule{.required = true});
}

template <class V>
void visit_fields(JournalConfig& c, V& v) {
  v("dir", c.dir, "Folder of the journal; absent: the SQLite file's, with PostgreSQL `.`.",
    Rule{.path = true});
  v("fsync", c.fsync, "true: an intent is on the disk before its request is sent.");
  v("max_bytes", c.max_bytes, "How far it may grow while the database is away.",
    Rule{.min = 1U << 20U});
}

template <class V>
void visit_fields(LedgerConfig& c, V& v) {
  v("sqlite", c.sqlite, "The default.");
  v("postgres", c.postgres, "Where several replicas share one ledger.");
  v("journal", c.journal, "What a crash must not lose.");
  v("retention", c.retention, "How long rows are kept; totals outlive it.",
    Rule{.min = 86'400'000});
}

}  // namespace tollgate::config
