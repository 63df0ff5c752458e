#include <sys/stat.h>

#include "policies/ledger/bookkeeping.hpp"
#include "policies/ledger/books.hpp"
#include "policies/ledger/packed_row.hpp"
#include "policies/ledger/rows.hpp"
#include "policies/ledger/sqlite.hpp"
#include "policies/ledger/sqlite_packs.hpp"
#include "policies/ledger/sqlite_schema.hpp"

namespace tollgate::ledger {
namespace {

/// `INSERT ... VALUES (?,?,...)` for a table of that many columns.
std::string insert_sql(std::string_view into, std::size_t width) {
  std::string sql(into);
  sql += " VALUES (?";
  for (std::size_t i = 1; i < width; ++i)
    sql += ",?";
  return sql + ")";
}

/// From the sums, what the row had added that `call` takes the place of.
void take_away(std::string_view row, const Booking& call, Totals& totals) {
  const PackedColumns columns(row);
  const std::string tenant = columns.text_at(6), key_id = columns.text_at(7),
                    model = columns.text_at(12);
  Booking old;
  old.booked_at = call.booked_at;
  old.tenant = tenant;
  old.key_id = key_id;
  old.model = model;
  old.charged = columns.number_at(28);
  totals.take_away(old);
}

class SqliteBooks final : public Books {
 public:
  explicit SqliteBooks(Database database) : database_(std::move(database)) {}

  Result<void> prepare(bool read_only, bool fsync) {
    sqlite3_busy_timeout(database_.get(), 2000);
    if (!read_only) {
      auto made = exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
      // A commit that a power cut may undo must not free the journal's records.
      if (made && fsync) made = exec("PRAGMA synchronous=FULL;");
      if (!made) return made;
    }
    Statement version(database_.get(), "PRAGMA user_version");
    if (!version.good() || version.step() != SQLITE_ROW) return sqlite_error(database_.get());
    const auto found = version.number_at(0);
    version.reset();
    if (found > sqlite_schema_version) {
      return fail(ErrorKind::internal, "the ledger's database has schema " + std::to_string(found) +
                                           ", this build knows " +
                                           std::to_string(sqlite_schema_version));
    }
    if (found == 0 && read_only) {
      return fail(ErrorKind::internal, "the ledger's database is empty");
    }
    if (read_only && found < sqlite_schema_version) {
      return fail(ErrorKind::internal, "the ledger's database has schema " + std::to_string(found) +
                                           "; start this build once, it brings it to " +
                                           std::to_string(sqlite_schema_version));
    }
    auto ready = bring_from(found);
    return !ready || read_only ? ready : statements();
  }

  Result<std::string> id() override {
    Statement find(database_.get(), "SELECT value FROM meta WHERE name = 'id'");
    if (!find.good() || find.step() != SQLITE_ROW) return sqlite_error(database_.get());
    return find.text_at(0);
  }

  Result<void> write(std::span<const Booking> calls) override {
    return whole([&] { return merge(calls); });
  }

  Result<void> append(std::span<const Booking> calls) override {
    return whole([&] { return append_all(calls); });
  }

  Result<void> hours(SystemTime since, const std::function<void(const HourSum&)>& each) override {
    Statement find(database_.get(),
                   "SELECT hour, tenant, key_id, model, charged_nano_usd FROM totals "
                   "WHERE hour >= ? AND charged_nano_usd <> 0");
    if (!find.good()) return sqlite_error(database_.get());
    find.number(micros_of(since));
    int step = 0;
    while ((step = find.step()) == SQLITE_ROW) {
      each({.tenant = find.text_at(1),
            .key_id = find.text_at(2),
            .model = find.text_at(3),
            .hour = time_of(find.number_at(0)),
            .charged = find.number_at(4)});
    }
    if (step != SQLITE_DONE) return sqlite_error(database_.get());
    return {};
  }

  Result<void> each_call(const Period& period,
                         const std::function<void(const Outcome&)>& each) override;
  Result<bool> forget(SystemTime before) override;
  Result<std::vector<std::string>> verify() override;

 private:
  Result<bool> forget_piece(SystemTime before);
  Result<void> each_row(std::string_view sql, const std::function<void(const Statement&)>& each);
  /// All of `change`, or nothing.
  template <class Change>
  Result<void> whole(Change change) {
    auto begun = exec("BEGIN IMMEDIATE");
    if (!begun) return begun;
    auto done = change();
    if (done) done = exec("COMMIT");
    // Also a commit that failed leaves the transaction open.
    if (!done) (void)exec("ROLLBACK");
    return done;
  }
  Result<void> exec(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return sqlite_error(database_.get());
  }

  Result<void> bring_from(std::int64_t version) {
    if (version == sqlite_schema_version) return {};
    std::string sql = "BEGIN IMMEDIATE;";
    sql += version == 0
               ? sqlite_schema() + "INSERT INTO meta VALUES ('id', '" + new_ledger_id() + "');"
               : sqlite_from(version);
    sql += "PRAGMA user_version = " + std::to_string(sqlite_schema_version) + "; COMMIT;";
    auto made = exec(sql.c_str());
    if (!made) (void)exec("ROLLBACK");
    return made;
  }

  Result<void> statements() {
    const std::pair<Statement*, std::string> all[] = {
        {&attempt_, insert_sql("INSERT OR REPLACE INTO attempts", attempt_width)},
        {&total_, insert_sql("INSERT INTO totals", 6) + std::string(add_to_totals)},
        {&remove_attempts_, "DELETE FROM attempts WHERE request_id = ?"}};
    for (const auto& [statement, sql] : all) {
      *statement = Statement(database_.get(), sql);
      if (!statement->good()) return sqlite_error(database_.get());
    }
    return packs_.prepare(database_.get());
  }

  Result<void> merge(std::span<const Booking> calls);
  Result<void> append_all(std::span<const Booking> calls);
  Result<void> add(const Totals& totals);
  Result<void> write_attempts(const Booking& call);
  Result<void> remove_attempts(const Booking& call);

  Database database_;
  CallPacks packs_;
  Statement attempt_, total_, remove_attempts_;
};

Result<void> SqliteBooks::append_all(std::span<const Booking> calls) {
  Totals totals;
  auto done = packs_.append(calls);
  for (const Booking& call : calls) {
    if (done) done = write_attempts(call);
    totals.add(call);
  }
  return done ? add(totals) : done;
}

Result<void> SqliteBooks::merge(std::span<const Booking> calls) {
  auto changes = packs_.merge(calls);
  if (!changes) return std::unexpected(changes.error());
  Totals totals;
  Result<void> done;
  for (const auto& [call, unknown] : *changes) {
    if (!unknown.empty()) {
      take_away(unknown, *call, totals);
      done = remove_attempts(*call);
    }
    if (done) done = write_attempts(*call);
    if (!done) return done;
    totals.add(*call);
  }
  return add(totals);
}

Result<void> SqliteBooks::add(const Totals& totals) {
  for (const auto& [key, sum] : totals.sums()) {
    total_.reset();
    total_.number(std::get<0>(key)).text(std::get<1>(key)).text(std::get<2>(key));
    total_.text(std::get<3>(key)).number(sum.calls).number(sum.charged);
    if (total_.step() != SQLITE_DONE) return sqlite_error(database_.get());
  }
  total_.reset();
  return {};
}

Result<void> SqliteBooks::remove_attempts(const Booking& call) {
  remove_attempts_.reset();
  remove_attempts_.text(call.request_id);
  const int step = remove_attempts_.step();
  remove_attempts_.reset();
  if (step != SQLITE_DONE) return sqlite_error(database_.get());
  return {};
}

Result<void> SqliteBooks::write_attempts(const Booking& call) {
  for (const std::string_view row : call.attempts) {
    PackedColumns(row).bind_to(attempt_, attempt_width);
    const int step = attempt_.step();
    attempt_.reset();
    if (step != SQLITE_DONE) return sqlite_error(database_.get());
  }
  return {};
}

Result<void> SqliteBooks::each_call(const Period& period,
                                    const std::function<void(const Outcome&)>& each) {
  Statement attempts(database_.get(),
                     "SELECT * FROM attempts WHERE request_id = ? ORDER BY attempt");
  if (!attempts.good()) return sqlite_error(database_.get());
  // Nothing is admitted before it has started.
  return each_packed_call(database_.get(), micros_of(period.from), [&](std::string_view row) {
    bool others = false;
    Outcome call = call_at(PackedColumns(row), others);
    if (call.started_at < period.from || call.started_at >= period.to) return;
    attempts.reset();
    attempts.text(call.request_id);
    while (others && attempts.step() == SQLITE_ROW)
      call.attempts.push_back(attempt_at(attempts));
    each(call);
  });
}

Result<bool> SqliteBooks::forget(SystemTime before) {
  auto begun = exec("BEGIN IMMEDIATE");
  if (!begun) return std::unexpected(begun.error());
  auto gone = forget_piece(before);
  if (auto done = gone ? exec("COMMIT") : Result<void>{}; !done)
    gone = std::unexpected(done.error());
  if (!gone) (void)exec("ROLLBACK");
  return gone;
}

/// A piece at a time, so that the rows that come in meanwhile do not wait.
Result<bool> SqliteBooks::forget_piece(SystemTime before) {
  const std::string piece = "(SELECT id FROM call_packs WHERE id < ?1 ORDER BY id LIMIT 100)";
  // The sums of these hours have rows no longer: see verify.
  const std::string note =
      "INSERT INTO meta SELECT 'forgotten', max(id / 3600000000 * 3600000000) "
      "FROM call_packs WHERE id IN " +
      piece +
      " HAVING count(*) > 0 ON CONFLICT (name) DO UPDATE SET "
      "value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))";
  int gone = 0;
  for (const std::string& sql :
       {note,
        "DELETE FROM attempts WHERE request_id IN (SELECT value ->> 0 FROM call_packs, "
        "json_each(packed) WHERE call_packs.id IN " +
            piece + ")",
        "DELETE FROM call_packs WHERE id IN " + piece}) {
    Statement change(database_.get(), sql);
    if (change.good()) change.number(slot_of(micros_of(before)) * slot_micros);
    if (!change.good() || change.step() != SQLITE_DONE) return sqlite_error(database_.get());
    gone = sqlite3_changes(database_.get());
  }
  return gone > 0;
}

Result<std::vector<std::string>> SqliteBooks::verify() {
  std::vector<std::string> found;
  auto done = each_row(hours_that_differ,
                       [&](const Statement& row) { found.push_back(hour_difference(row)); });
  if (done) {
    done = each_row(calls_that_differ,
                    [&](const Statement& row) { found.push_back(call_difference(row)); });
  }
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<void> SqliteBooks::each_row(std::string_view sql,
                                   const std::function<void(const Statement&)>& each) {
  Statement find(database_.get(), sql);
  if (!find.good()) return sqlite_error(database_.get());
  int step = 0;
  while ((step = find.step()) == SQLITE_ROW)
    each(find);
  if (step != SQLITE_DONE) return sqlite_error(database_.get());
  return {};
}

}  // namespace

Result<std::unique_ptr<Books>> open_sqlite(const std::string& path, bool read_only, bool fsync) {
  // Counting its memory costs SQLite a lock for each allocation.
  [[maybe_unused]] static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* opened = nullptr;
  const mode_t before = ::umask(0077);  // the file and those beside it are their owner's alone
  const int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  auto books = std::make_unique<SqliteBooks>(std::move(database));
  Result<void> prepared;
  if (code == SQLITE_OK) {
    prepared = books->prepare(read_only, fsync);
  } else {
    prepared = sqlite_error(opened);
  }
  ::umask(before);
  if (prepared) return books;
  Error error = prepared.error();
  error.message = "ledger " + path + ": " + (error.detail.empty() ? error.message : error.detail);
  return std::unexpected(std::move(error));
}

}  // namespace tollgate::ledger
