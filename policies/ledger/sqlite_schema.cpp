#include "policies/ledger/sqlite_schema.hpp"

#include <vector>

#include "policies/ledger/rows.hpp"
#include "policies/ledger/sqlite_packs.hpp"

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

std::string packs_and_calls() {
  std::string sql =
      "CREATE TABLE call_packs (id INTEGER PRIMARY KEY, packed TEXT NOT NULL);\n"
      "CREATE VIEW calls AS SELECT ";
  const auto names = names_of(call_columns);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) sql += ", ";
    sql.append("value ->> ").append(std::to_string(i)).append(" AS ").append(names[i]);
  }
  return sql + " FROM call_packs, json_each(packed);\n";
}

std::string table(std::string_view name, std::string_view columns, std::string_view key = {}) {
  std::string sql = "CREATE TABLE ";
  sql.append(name).append(" (").append(columns).append(key).append(") WITHOUT ROWID;\n");
  return sql;
}

/// A table of packed rows, with `booked_at` beside them, becomes packs of one slot each.
std::string packs_from(std::string_view table) {
  const std::string name(table);
  return packs_and_calls() + "INSERT INTO call_packs SELECT min(booked_at), '[' || " +
         "group_concat(row) || ']' FROM " + name + " GROUP BY booked_at / " +
         std::to_string(slot_micros) + "; DROP TABLE " + name + ";";
}

}  // namespace

std::string sqlite_schema() {
  return table("meta", "name TEXT PRIMARY KEY, value TEXT NOT NULL") + packs_and_calls() +
         table("attempts", attempt_columns, ", PRIMARY KEY (request_id, attempt)") +
         table("totals", totals_columns) + views();
}

std::string sqlite_from(std::int64_t version) {
  std::string sql = "DROP VIEW call_rows; DROP VIEW attempt_rows; DROP VIEW spend_by_hour;";
  if (version == 2) return sql + "DROP VIEW calls;" + packs_from("call_records") + views();
  sql += "DROP INDEX calls_by_time; CREATE TABLE calls_1 AS SELECT booked_at, json_array(";
  std::string_view comma;
  for (const std::string_view name : names_of(call_columns)) {
    sql.append(comma).append(name);
    comma = ", ";
  }
  return sql + ") AS row FROM calls; DROP TABLE calls;" + packs_from("calls_1") + views();
}

}  // namespace tollgate::ledger
