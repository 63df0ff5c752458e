// The schema of the PostgreSQL ledger, all of it in the schema `tollgate`.
// `calls` and `attempts` are cut by the day of `booked_at`, which is why it is in their keys.
#pragma once
#include <string>

#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {

inline constexpr int postgres_schema_version = 1;

/// Views: `call_rows` and `attempt_rows` hold what an export shows, `spend_by_hour` the sums.
inline constexpr std::string_view postgres_views = R"sql(
CREATE VIEW call_rows AS
  SELECT *, to_timestamp(started_at / 1e6) AS started, cost_nano_usd / 1e9 AS cost_usd,
         charged_nano_usd / 1e9 AS charged_usd FROM calls;
CREATE VIEW attempt_rows AS
  SELECT *, to_timestamp(started_at / 1e6) AS started, cost_nano_usd / 1e9 AS cost_usd,
         charged_nano_usd / 1e9 AS charged_usd FROM (
    SELECT * FROM attempts UNION ALL
    SELECT request_id, booked_at, 1, attempt_started_at, attempt_ended_at, provider,
      upstream_model, attempt_status, attempt_http_status, attempt_error, input_tokens,
      cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens,
      reasoning_tokens, usage_source, cost_nano_usd, charged_nano_usd, cost_by_kind,
      price_version FROM calls WHERE one_row = 1) AS every;
CREATE VIEW spend_by_hour AS
  SELECT to_timestamp(hour / 1e6) AS hour_utc, tenant, key_id, model, calls, charged_nano_usd,
         charged_nano_usd / 1e9 AS charged_usd FROM totals;
)sql";

[[nodiscard]] inline std::string postgres_schema() {
  const auto table = [](std::string_view name, std::string_view columns, std::string_view rest) {
    std::string sql = "CREATE TABLE ";
    sql.append(name).append(" (").append(columns).append(rest).append(";\n");
    return sql;
  };
  return table("meta", "name TEXT PRIMARY KEY, value TEXT NOT NULL", ")") +
         table("calls", call_columns,
               ", PRIMARY KEY (request_id, booked_at)) PARTITION BY RANGE (booked_at)") +
         "CREATE INDEX calls_by_time ON calls (started_at);\n" +
         table("attempts", attempt_columns,
               ", PRIMARY KEY (request_id, booked_at, attempt)) PARTITION BY RANGE (booked_at)") +
         table("totals", totals_columns, ")") + std::string(postgres_views);
}

}  // namespace tollgate::ledger
