// The schema of the SQLite ledger, and its views for people. Used when a database is opened, by
// SqliteBooks.
#pragma once
#include <cstdint>
#include <string>

namespace tollgate::ledger {

inline constexpr int sqlite_schema_version = 3;

/// Makes everything in an empty database. A call is one packed row (packed_row.hpp) of several in
/// a row of `call_packs` (sqlite_packs.hpp), which the view `calls` takes apart into columns.
[[nodiscard]] std::string sqlite_schema();
/// From a schema before: 2, where each call was a row of `call_records`, or 1, where each column of
/// a call was one of the table.
[[nodiscard]] std::string sqlite_from(std::int64_t version);

}  // namespace tollgate::ledger
