// The schema of the PostgreSQL ledger, all of it in the schema `tollgate`.
// `calls` and `attempts` are cut by the day of `booked_at`, which is why it is in their keys.
#pragma once
#include <string>

#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {

inline constexpr int postgres_schema_version = 1;

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
         table("totals", totals_columns, ")") +
         views_for_people("to_timestamp(started_at / 1e6)", "to_timestamp(hour / 1e6)");
}

}  // namespace tollgate::ledger
