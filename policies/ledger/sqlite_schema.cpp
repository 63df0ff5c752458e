#include "policies/ledger/sqlite_schema.hpp"

#include <vector>

#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {
namespace {

std::string views() {
  return views_for_people("strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1e6, 'unixepoch')",
                          "strftime('%Y-%m-%dT%H:00Z', hour / 1000000, 'unixepoch')");
}

/// The names in a list of columns (`name TYPE NOT NULL, ...`), quoted where the list quotes them.
std::vector<std::string_view> names_of(std::string_view columns) {
  std::vector<std::string_view> names;
  while (true) {
    columns.remove_prefix(std::min(columns.find_first_not_of(", \n"), columns.size()));
    if (columns.empty()) return names;
    names.push_back(columns.substr(0, columns.find(' ')));
    columns.remove_prefix(std::min(columns.find(','), columns.size()));
  }
}

std::string calls_view() {
  std::string sql = "CREATE VIEW calls AS SELECT request_id, booked_at";
  const auto names = names_of(call_columns);
  for (std::size_t i = 2; i < names.size(); ++i)
    sql.append(", row ->> ").append(std::to_string(i)).append(" AS ").append(names[i]);
  return sql + " FROM call_records;\n";
}

std::string table(std::string_view name, std::string_view columns, std::string_view key = {}) {
  std::string sql = "CREATE TABLE ";
  sql.append(name).append(" (").append(columns).append(key).append(") WITHOUT ROWID;\n");
  return sql;
}

std::string calls() {
  return table("call_records",
               "booked_at BIGINT NOT NULL, request_id TEXT NOT NULL, row TEXT NOT NULL, "
               "PRIMARY KEY (booked_at, request_id)") +
         calls_view();
}

}  // namespace

std::string sqlite_schema() {
  return table("meta", "name TEXT PRIMARY KEY, value TEXT NOT NULL") + calls() +
         table("attempts", attempt_columns, ", PRIMARY KEY (request_id, attempt)") +
         table("totals", totals_columns) + views();
}

std::string sqlite_from_1_to_2() {
  std::string sql =
      "DROP VIEW call_rows; DROP VIEW attempt_rows; DROP VIEW spend_by_hour;"
      "DROP INDEX calls_by_time; ALTER TABLE calls RENAME TO calls_1;";
  sql += calls() + "INSERT INTO call_records SELECT booked_at, request_id, json_array(";
  std::string_view comma;
  for (const std::string_view name : names_of(call_columns)) {
    sql.append(comma).append(name);
    comma = ", ";
  }
  return sql + ") FROM calls_1; DROP TABLE calls_1;" + views();
}

}  // namespace tollgate::ledger
