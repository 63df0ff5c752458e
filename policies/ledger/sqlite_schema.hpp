// The schema of the SQLite ledger, and its views for people. Used when a database is opened, by
// SqliteBooks.
#pragma once
#include <string>

namespace tollgate::ledger {

inline constexpr int sqlite_schema_version = 2;

/// Makes everything in an empty database. A call is one packed row (packed_row.hpp) in
/// `call_records`, which the view `calls` takes apart into columns.
[[nodiscard]] std::string sqlite_schema();
/// From the schema before, where each column of a call was one of the table.
[[nodiscard]] std::string sqlite_from_1_to_2();

}  // namespace tollgate::ledger
