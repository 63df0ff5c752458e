#include <algorithm>
#include <map>
#include <set>

#include "policies/ledger/bookkeeping.hpp"
#include "policies/ledger/books.hpp"
#include "policies/ledger/postgres.hpp"
#include "policies/ledger/postgres_days.hpp"
#include "policies/ledger/postgres_schema.hpp"

namespace tollgate::ledger {
namespace {

using namespace std::chrono_literals;

constexpr auto write_patience = 10s, read_patience = 600s;
/// PostgreSQL numbers values with 16 bits.
constexpr std::size_t values_most = 60'000;

/// `INSERT INTO into VALUES ($1,$2),($3,$4)` and so on.
std::string insert_sql(const std::string& into, std::size_t width, std::size_t rows) {
  std::string sql = "INSERT INTO " + into + " VALUES ";
  for (std::size_t value = 0; value < width * rows; ++value) {
    if (value % width == 0) sql += value == 0 ? "(" : "),(";
    if (value % width != 0) sql += ',';
    sql += '$' + std::to_string(value + 1);
  }
  return sql + ")";
}

class PostgresBooks final : public Books {
 public:
  PostgresBooks(const std::string& url, bool read_only)
      : link_(url, read_only ? read_patience : write_patience), read_only_(read_only) {}

  Result<void> prepare();
  Result<std::string> id() override;
  Result<void> write(std::span<const Booking> calls) override;
  Result<void> hours(SystemTime since, const std::function<void(const HourSum&)>& each) override;
  Result<void> each_call(const Period& period,
                         const std::function<void(const Outcome&)>& each) override;
  Result<bool> forget(SystemTime before) override { return days_.drop_oldest(before); }
  Result<std::vector<std::string>> verify() override;

 private:
  using Rows = std::vector<const Booking*>;

  Result<std::int64_t> version();
  Result<void> migrate();
  Result<void> write_all(std::span<const Booking> calls);
  Result<std::set<std::string, std::less<>>> insert_calls(const Rows& calls);
  Result<bool> replace_unknown(const Booking& call, Totals& totals);
  Result<void> insert_attempts(const Rows& calls);
  Result<void> add_totals(const Totals& totals);
  Result<void> fetch_all(const std::function<void(const Outcome&)>& each);
  Result<void> add_attempts(Outcome& call);
  Result<void> each_row(std::string_view sql, const std::function<void(const PgRow&)>& each);

  PgLink link_;
  bool read_only_;
  PgDays days_{link_};
};

Result<void> PostgresBooks::prepare() {
  auto connected = link_.connect();
  if (!connected) return connected;
  auto found = version();
  if (found && *found == 0 && read_only_) {
    return fail(ErrorKind::internal, "the ledger's database is empty");
  }
  if (found && *found == 0) {
    auto made = link_.transaction("BEGIN", [this] { return migrate(); });
    if (!made) return made;
    found = version();
  }
  if (!found) return std::unexpected(found.error());
  if (*found <= postgres_schema_version) return {};
  return fail(ErrorKind::internal, "the ledger's database has schema " + std::to_string(*found) +
                                       ", this build knows " +
                                       std::to_string(postgres_schema_version));
}

/// 0: there is nothing yet.
Result<std::int64_t> PostgresBooks::version() {
  // From the tables themselves: inside a transaction to_regclass may answer from an old cache.
  auto there = link_.ask(
      "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = 'tollgate' AND c.relname = 'meta'");
  if (!there) return std::unexpected(there.error());
  if (there->rows() == 0) return 0;
  auto found = link_.ask("SELECT value FROM meta WHERE name = 'schema'");
  if (!found) return std::unexpected(found.error());
  return found->rows() == 0 ? 0 : found->row(0).number_at(0);
}

Result<void> PostgresBooks::migrate() {
  auto locked = link_.ask(std::string(lock_tables));
  if (!locked) return std::unexpected(locked.error());
  auto found = version();  // another replica may have come first
  if (!found) return std::unexpected(found.error());
  if (*found > 0) return {};
  // A role that may not make schemas can be given one.
  auto schema = link_.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'tollgate'");
  if (!schema) return std::unexpected(schema.error());
  std::string sql = schema->rows() > 0 ? "" : "CREATE SCHEMA tollgate;";
  sql += postgres_schema() + "INSERT INTO meta VALUES ('id', '" + new_ledger_id() +
         "'), ('schema', '" + std::to_string(postgres_schema_version) + "')";
  auto made = link_.ask(sql);
  if (!made) return std::unexpected(made.error());
  return {};
}

Result<std::string> PostgresBooks::id() {
  auto found = link_.ask("SELECT value FROM meta WHERE name = 'id'");
  if (!found) return std::unexpected(found.error());
  if (found->rows() == 0) return fail(ErrorKind::internal, "the ledger's database has no name");
  return found->row(0).text_at(0);
}

Result<void> PostgresBooks::write(std::span<const Booking> calls) {
  auto made = days_.make(calls);
  if (!made) return made;
  auto written = link_.transaction("BEGIN", [&] { return write_all(calls); });
  if (!written) days_.unsure();  // another replica may have dropped one
  return written;
}

Result<void> PostgresBooks::write_all(std::span<const Booking> calls) {
  Rows all;
  for (const Booking& call : calls)
    all.push_back(&call);
  auto fresh = insert_calls(all);
  if (!fresh) return std::unexpected(fresh.error());
  Totals totals;
  Rows written;
  for (const Booking* call : all) {
    // The first of an id is the one that was inserted.
    const auto found = fresh->find(call->request_id);
    if (found != fresh->end()) {
      fresh->erase(found);
    } else {
      auto replaced = replace_unknown(*call, totals);
      if (!replaced) return std::unexpected(replaced.error());
      if (!*replaced) continue;
      // What it replaced may have come in this very batch.
      std::erase_if(written,
                    [&](const Booking* old) { return old->request_id == call->request_id; });
    }
    written.push_back(call);
    totals.add(*call);
  }
  auto attempts = insert_attempts(written);
  return attempts ? add_totals(totals) : attempts;
}

/// The ids of those that were not there.
Result<std::set<std::string, std::less<>>> PostgresBooks::insert_calls(const Rows& calls) {
  std::set<std::string, std::less<>> fresh;
  constexpr std::size_t most = values_most / call_width;
  for (std::size_t from = 0; from < calls.size(); from += most) {
    const std::size_t rows = std::min(most, calls.size() - from);
    PgValues values;
    for (std::size_t i = from; i < from + rows; ++i)
      PackedColumns(calls[i]->row).bind_to(values);
    auto inserted = link_.ask(
        insert_sql("calls", call_width, rows) + " ON CONFLICT DO NOTHING RETURNING request_id",
        values);
    if (!inserted) return std::unexpected(inserted.error());
    for (int i = 0; i < inserted->rows(); ++i)
      fresh.insert(inserted->row(i).text_at(0));
  }
  return fresh;
}

/// True: what stood there was `unknown` and now is this call (M13).
Result<bool> PostgresBooks::replace_unknown(const Booking& call, Totals& totals) {
  if (call.status == CallStatus::unknown) return false;
  const auto key = PgValues().text(call.request_id).number(call.booked_at);
  auto found = link_.ask(
      "DELETE FROM calls WHERE request_id = $1 AND booked_at = $2 AND status = 'unknown' "
      "RETURNING charged_nano_usd, tenant, key_id, model",
      key);
  if (!found) return std::unexpected(found.error());
  if (found->rows() == 0) return false;
  const PgRow row = found->row(0);
  const NanoUsd charged = row.number_at(0);
  const std::string tenant = row.text_at(1), key_id = row.text_at(2), model = row.text_at(3);
  auto gone = link_.ask("DELETE FROM attempts WHERE request_id = $1 AND booked_at = $2", key);
  if (!gone) return std::unexpected(gone.error());
  Booking old;
  old.booked_at = call.booked_at;
  old.tenant = tenant;
  old.key_id = key_id;
  old.model = model;
  old.charged = charged;
  totals.take_away(old);
  auto inserted = insert_calls({&call});
  if (!inserted) return std::unexpected(inserted.error());
  return !inserted->empty();
}

Result<void> PostgresBooks::insert_attempts(const Rows& calls) {
  PgValues values;
  const auto flush = [&]() -> Result<void> {
    if (values.size() == 0) return {};
    auto done = link_.ask(insert_sql("attempts", attempt_width, values.size() / attempt_width) +
                              " ON CONFLICT DO NOTHING",
                          values);
    values = {};
    return done ? Result<void>{} : std::unexpected(done.error());
  };
  for (const Booking* call : calls) {
    for (const std::string_view row : call->attempts)
      PackedColumns(row).bind_to(values, attempt_width);
    if (values.size() < values_most / 2) continue;
    auto done = flush();
    if (!done) return done;
  }
  return flush();
}

Result<void> PostgresBooks::add_totals(const Totals& totals) {
  constexpr std::size_t width = 6;
  PgValues values;
  const auto flush = [&]() -> Result<void> {
    if (values.size() == 0) return {};
    auto done = link_.ask(
        insert_sql("totals", width, values.size() / width) + std::string(add_to_totals), values);
    values = {};
    return done ? Result<void>{} : std::unexpected(done.error());
  };
  for (const auto& [key, sum] : totals.sums()) {
    values.number(std::get<0>(key)).text(std::get<1>(key)).text(std::get<2>(key));
    values.text(std::get<3>(key)).number(sum.calls).number(sum.charged);
    if (values.size() < values_most) continue;
    auto done = flush();
    if (!done) return done;
  }
  return flush();
}

Result<void> PostgresBooks::hours(SystemTime since,
                                  const std::function<void(const HourSum&)>& each) {
  auto connected = link_.connect();
  if (!connected) return connected;
  auto found = link_.ask(
      "SELECT hour, tenant, key_id, model, charged_nano_usd FROM totals "
      "WHERE hour >= $1 AND charged_nano_usd <> 0",
      PgValues().number(micros_of(since)));
  if (!found) return std::unexpected(found.error());
  for (int i = 0; i < found->rows(); ++i) {
    const PgRow row = found->row(i);
    each({.tenant = row.text_at(1),
          .key_id = row.text_at(2),
          .model = row.text_at(3),
          .hour = time_of(row.number_at(0)),
          .charged = row.number_at(4)});
  }
  return {};
}

Result<void> PostgresBooks::each_call(const Period& period,
                                      const std::function<void(const Outcome&)>& each) {
  const bool endless = period.to == SystemTime::max();
  const std::string to = std::to_string(endless ? INT64_MAX : micros_of(period.to));
  return link_.transaction("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ",
                           [&]() -> Result<void> {
                             auto cursor = link_.ask(
                                 "DECLARE each_call NO SCROLL CURSOR FOR SELECT * FROM calls WHERE "
                                 "started_at >= " +
                                 std::to_string(micros_of(period.from)) + " AND started_at < " +
                                 to + " ORDER BY started_at, request_id");
                             if (!cursor) return std::unexpected(cursor.error());
                             return fetch_all(each);
                           });
}

Result<void> PostgresBooks::fetch_all(const std::function<void(const Outcome&)>& each) {
  while (true) {
    auto piece = link_.ask("FETCH 1000 FROM each_call");
    if (!piece) return std::unexpected(piece.error());
    if (piece->rows() == 0) return {};
    for (int i = 0; i < piece->rows(); ++i) {
      bool others = false;
      Outcome call = call_at(piece->row(i), others);
      auto added = others ? add_attempts(call) : Result<void>{};
      if (!added) return added;
      each(call);
    }
  }
}

Result<void> PostgresBooks::add_attempts(Outcome& call) {
  auto found =
      link_.ask("SELECT * FROM attempts WHERE request_id = $1 AND booked_at = $2 ORDER BY attempt",
                PgValues().text(call.request_id).number(micros_of(booked_at(call))));
  if (!found) return std::unexpected(found.error());
  for (int i = 0; i < found->rows(); ++i)
    call.attempts.push_back(attempt_at(found->row(i)));
  return {};
}

Result<std::vector<std::string>> PostgresBooks::verify() {
  std::vector<std::string> found;
  auto done = link_.transaction("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", [&] {
    auto told = each_row(hours_that_differ,
                         [&](const PgRow& row) { found.push_back(hour_difference(row)); });
    if (!told) return told;
    return each_row(calls_that_differ,
                    [&](const PgRow& row) { found.push_back(call_difference(row)); });
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<void> PostgresBooks::each_row(std::string_view sql,
                                     const std::function<void(const PgRow&)>& each) {
  auto found = link_.ask(std::string(sql));
  if (!found) return std::unexpected(found.error());
  for (int i = 0; i < found->rows(); ++i)
    each(found->row(i));
  return {};
}

}  // namespace

Result<std::unique_ptr<Books>> open_postgres(const std::string& url, bool read_only) {
  auto place = pg_place(url);
  if (!place) return std::unexpected(place.error());
  auto books = std::make_unique<PostgresBooks>(url, read_only);
  auto prepared = books->prepare();
  if (prepared) return books;
  Error error = prepared.error();
  error.message =
      "ledger " + place->label + ": " + (error.detail.empty() ? error.message : error.detail);
  return std::unexpected(std::move(error));
}

}  // namespace tollgate::ledger
