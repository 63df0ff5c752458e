#include <sys/stat.h>

#include "policies/ledger/bookkeeping.hpp"
#include "policies/ledger/books.hpp"
#include "policies/ledger/packed_row.hpp"
#include "policies/ledger/rows.hpp"
#include "policies/ledger/sqlite.hpp"
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
    auto begun = exec("BEGIN IMMEDIATE");
    if (!begun) return begun;
    auto written = write_all(calls);
    if (written) written = exec("COMMIT");
    // Also a commit that failed leaves the transaction open.
    if (!written) (void)exec("ROLLBACK");
    return written;
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
  Result<void> exec(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return sqlite_error(database_.get());
  }

  Result<void> bring_from(std::int64_t version) {
    if (version == sqlite_schema_version) return {};
    std::string sql = "BEGIN IMMEDIATE;";
    sql += version == 0
               ? sqlite_schema() + "INSERT INTO meta VALUES ('id', '" + new_ledger_id() + "');"
               : sqlite_from_1_to_2();
    sql += "PRAGMA user_version = " + std::to_string(sqlite_schema_version) + "; COMMIT;";
    auto made = exec(sql.c_str());
    if (!made) (void)exec("ROLLBACK");
    return made;
  }

  Result<void> statements() {
    const std::pair<Statement*, std::string> all[] = {
        {&call_, insert_sql("INSERT OR IGNORE INTO call_records", 3)},
        {&attempt_, insert_sql("INSERT OR REPLACE INTO attempts", attempt_width)},
        {&total_, insert_sql("INSERT INTO totals", 6) + std::string(add_to_totals)},
        {&find_,
         "SELECT status, charged_nano_usd, tenant, key_id, model "
         "FROM calls WHERE booked_at = ? AND request_id = ?"},
        {&remove_, "DELETE FROM call_records WHERE booked_at = ? AND request_id = ?"},
        {&remove_attempts_, "DELETE FROM attempts WHERE request_id = ?"}};
    for (const auto& [statement, sql] : all) {
      *statement = Statement(database_.get(), sql);
      if (!statement->good()) return sqlite_error(database_.get());
    }
    return {};
  }

  Result<void> write_all(std::span<const Booking> calls) {
    Totals totals;
    for (const Booking& call : calls) {
      auto written = write_call(call, totals);
      if (!written) return written;
    }
    for (const auto& [key, sum] : totals.sums()) {
      total_.reset();
      total_.number(std::get<0>(key)).text(std::get<1>(key)).text(std::get<2>(key));
      total_.text(std::get<3>(key)).number(sum.calls).number(sum.charged);
      if (total_.step() != SQLITE_DONE) return sqlite_error(database_.get());
    }
    total_.reset();
    return {};
  }

  Result<void> write_call(const Booking& call, Totals& totals) {
    auto inserted = insert(call);
    if (!inserted) return std::unexpected(inserted.error());
    if (!*inserted) {
      auto replaced = replace_unknown(call, totals);
      if (!replaced || !*replaced)
        return replaced ? Result<void>{} : std::unexpected(replaced.error());
    }
    totals.add(call);
    return write_attempts(call);
  }

  /// False: the call is there already.
  Result<bool> insert(const Booking& call);
  Result<void> write_attempts(const Booking& call);

  /// True: what stood there was `unknown` and now is this call (M13).
  Result<bool> replace_unknown(const Booking& call, Totals& totals) {
    find_.reset();
    find_.number(call.booked_at).text(call.request_id);
    if (find_.step() != SQLITE_ROW) return sqlite_error(database_.get());
    const CallStatus status = parse_status(find_.text_at(0));
    const NanoUsd charged = find_.number_at(1);
    const std::string tenant = find_.text_at(2), key_id = find_.text_at(3),
                      model = find_.text_at(4);
    find_.reset();
    if (status != CallStatus::unknown || call.status == CallStatus::unknown) return false;
    remove_.reset();
    remove_.number(call.booked_at).text(call.request_id);
    remove_attempts_.reset();
    remove_attempts_.text(call.request_id);
    for (Statement* remove : {&remove_, &remove_attempts_}) {
      if (remove->step() != SQLITE_DONE) return sqlite_error(database_.get());
    }
    Booking old;
    old.booked_at = call.booked_at;
    old.tenant = tenant;
    old.key_id = key_id;
    old.model = model;
    old.charged = charged;
    totals.take_away(old);
    auto inserted = insert(call);
    if (!inserted) return inserted;
    return true;
  }

  Database database_;
  Statement call_, attempt_, total_, find_, remove_, remove_attempts_;
};

Result<bool> SqliteBooks::insert(const Booking& call) {
  call_.number(call.booked_at).kept_text(call.request_id).kept_text(call.row);
  const int step = call_.step();
  call_.reset();
  if (step != SQLITE_DONE) return sqlite_error(database_.get());
  return sqlite3_changes(database_.get()) == 1;
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
  Statement calls(
      database_.get(),
      // Nothing is admitted before it has started.
      "SELECT * FROM calls WHERE booked_at >= ?1 AND started_at >= ?1 AND started_at < ?2 "
      "ORDER BY booked_at, request_id");
  Statement attempts(database_.get(),
                     "SELECT * FROM attempts WHERE request_id = ? ORDER BY attempt");
  if (!calls.good() || !attempts.good()) return sqlite_error(database_.get());
  const bool endless = period.to == SystemTime::max();
  calls.number(micros_of(period.from)).number(endless ? INT64_MAX : micros_of(period.to));
  int step = 0;
  while ((step = calls.step()) == SQLITE_ROW) {
    bool others = false;
    Outcome call = call_at(calls, others);
    attempts.reset();
    attempts.text(call.request_id);
    while (others && attempts.step() == SQLITE_ROW)
      call.attempts.push_back(attempt_at(attempts));
    each(call);
  }
  if (step != SQLITE_DONE) return sqlite_error(database_.get());
  return {};
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
  const std::string piece =
      "(SELECT request_id FROM call_records WHERE booked_at < ?1 "
      "ORDER BY booked_at, request_id LIMIT 2000)";
  // The sums of these hours have rows no longer: see verify.
  const std::string note =
      "INSERT INTO meta SELECT 'forgotten', max(booked_at / 3600000000 * 3600000000) "
      "FROM call_records WHERE booked_at < ?1 AND request_id IN " +
      piece +
      " HAVING count(*) > 0 ON CONFLICT (name) DO UPDATE SET "
      "value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))";
  int gone = 0;
  for (const std::string& sql :
       {note, "DELETE FROM attempts WHERE request_id IN " + piece,
        "DELETE FROM call_records WHERE booked_at < ?1 AND request_id IN " + piece}) {
    Statement change(database_.get(), sql);
    if (change.good()) change.number(micros_of(before));
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
