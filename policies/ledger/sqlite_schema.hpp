// The schema of the SQLite ledger, and its views for people. Version 1.
#pragma once
#include <string_view>

namespace tollgate::ledger {

inline constexpr int schema_version = 1;

/// A call of one attempt is one row of `calls`; calls of several have theirs in `attempts` too
/// (M29). `totals` is kept with the rows, by the hour of admission, and outlives them.
inline constexpr std::string_view schema_sql = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE calls (
  request_id TEXT PRIMARY KEY, client_request_id TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, admitted_at INTEGER NOT NULL,
  tenant TEXT NOT NULL, key_id TEXT NOT NULL, user TEXT NOT NULL, tags TEXT NOT NULL,
  endpoint TEXT NOT NULL, model_asked TEXT NOT NULL, model TEXT NOT NULL,
  provider TEXT NOT NULL, upstream_model TEXT NOT NULL, stream INTEGER NOT NULL,
  status TEXT NOT NULL, http_status INTEGER NOT NULL, error TEXT NOT NULL, finish TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL, cache_write_1h_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, usage_source TEXT NOT NULL,
  cost_nano_usd INTEGER, charged_nano_usd INTEGER NOT NULL, cost_by_kind TEXT NOT NULL,
  avoided_nano_usd INTEGER NOT NULL, price_version TEXT NOT NULL,
  ttft_us INTEGER, duration_us INTEGER NOT NULL, overhead_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL, count INTEGER NOT NULL, cache TEXT NOT NULL, trace_id TEXT NOT NULL,
  only_attempt TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX calls_by_time ON calls (started_at);
CREATE TABLE attempts (
  request_id TEXT NOT NULL, attempt INTEGER NOT NULL, started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL, provider TEXT NOT NULL, upstream_model TEXT NOT NULL,
  status TEXT NOT NULL, http_status INTEGER NOT NULL, error TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL, cache_write_1h_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, usage_source TEXT NOT NULL,
  cost_nano_usd INTEGER, charged_nano_usd INTEGER NOT NULL, cost_by_kind TEXT NOT NULL,
  price_version TEXT NOT NULL, PRIMARY KEY (request_id, attempt)
) WITHOUT ROWID;
CREATE TABLE totals (
  hour INTEGER NOT NULL, tenant TEXT NOT NULL, key_id TEXT NOT NULL, model TEXT NOT NULL,
  calls INTEGER NOT NULL, charged_nano_usd INTEGER NOT NULL,
  PRIMARY KEY (hour, tenant, key_id, model)
) WITHOUT ROWID;
CREATE VIEW spending AS
  SELECT strftime('%Y-%m-%d %H:00', hour / 1000000, 'unixepoch') AS hour_utc, tenant, key_id, model,
         calls, charged_nano_usd, charged_nano_usd / 1e9 AS charged_usd FROM totals;
CREATE VIEW calls_readable AS
  SELECT request_id, strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1e6, 'unixepoch') AS started,
         tenant, key_id, user, model_asked, model, provider, status, http_status, error,
         input_tokens, output_tokens, cost_nano_usd / 1e9 AS cost_usd, duration_us / 1e3 AS ms
  FROM calls;
)sql";

}  // namespace tollgate::ledger
