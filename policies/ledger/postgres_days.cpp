#include "policies/ledger/postgres_days.hpp"

#include "policies/ledger/rows.hpp"

namespace tollgate::ledger {
namespace {

constexpr std::int64_t day_micros = 86'400'000'000;

std::int64_t day_of(const Booking& call) {
  return std::chrono::floor<std::chrono::days>(time_of(call.booked_at)).time_since_epoch().count();
}

/// `20261130`
std::string day_name(std::int64_t day) {
  std::string name = timestamp(time_of(day * day_micros)).substr(0, 10);
  std::erase(name, '-');
  return name;
}

}  // namespace

Result<void> PgDays::make(std::span<const Booking> calls) {
  std::set<std::int64_t> missing;
  for (const Booking& call : calls) {
    if (!known_.contains(day_of(call))) missing.insert(day_of(call));
  }
  if (missing.empty()) return {};
  auto made = link_.transaction("BEGIN", [&] { return make(missing); });
  if (made) known_.merge(missing);
  return made;
}

Result<void> PgDays::make(const std::set<std::int64_t>& days) {
  auto done = link_.ask(std::string(lock_tables));
  for (const std::int64_t day : days) {
    const std::string range = " FOR VALUES FROM (" + std::to_string(day * day_micros) + ") TO (" +
                              std::to_string((day + 1) * day_micros) + ")";
    for (const std::string table : {"calls", "attempts"}) {
      if (!done) return std::unexpected(done.error());
      done = link_.ask("CREATE TABLE IF NOT EXISTS " + table + "_" + day_name(day) +
                       " PARTITION OF " + table + range);
    }
  }
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<bool> PgDays::drop_oldest(SystemTime before) {
  const std::int64_t first_kept =
      std::chrono::floor<std::chrono::days>(before).time_since_epoch().count();
  const std::string end = day_name(first_kept);
  bool dropped = false;
  auto done = link_.transaction("BEGIN", [&]() -> Result<void> {
    auto locked = link_.ask(std::string(lock_tables));
    if (!locked) return std::unexpected(locked.error());
    auto found = link_.ask(
        "SELECT substr(c.relname, 7), extract(epoch FROM to_date(substr(c.relname, 7), "
        "'YYYYMMDD'))::bigint / 86400 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'tollgate.calls'::regclass AND substr(c.relname, 7) < '" +
        end + "' ORDER BY 1 LIMIT 1");
    if (!found) return std::unexpected(found.error());
    if (found->rows() == 0) return {};
    dropped = true;
    return drop(found->row(0).text_at(0), found->row(0).number_at(1));
  });
  if (!done) return std::unexpected(done.error());
  return dropped;
}

Result<void> PgDays::drop(const std::string& name, std::int64_t day) {
  // The sums of these hours have rows no longer: see hours_that_differ.
  const std::string last_hour = std::to_string((day + 1) * day_micros - 3'600'000'000);
  auto gone = link_.ask("DROP TABLE calls_" + name + "; DROP TABLE attempts_" + name +
                        "; INSERT INTO meta VALUES ('forgotten', '" + last_hour +
                        "') ON CONFLICT (name) DO UPDATE SET value = "
                        "greatest(meta.value::bigint, excluded.value::bigint)::text");
  if (!gone) return std::unexpected(gone.error());
  known_.erase(day);
  return {};
}

}  // namespace tollgate::ledger
