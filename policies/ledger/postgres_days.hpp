// Days: the tables that `calls` and `attempts` of PostgreSQL are cut into, one of each for a day of
// `booked_at`; the unit that retention drops. For PostgresBooks only, on its thread.
#pragma once
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/ledger/booking.hpp"
#include "policies/ledger/postgres.hpp"

namespace tollgate::ledger {

/// One writer at a time makes or drops tables: until the end of the transaction.
inline constexpr std::string_view lock_tables = "SELECT pg_advisory_xact_lock(1953459308, 1)";

class PgDays {
 public:
  explicit PgDays(PgLink& link) : link_(link) {}

  /// Tables for the days that calls are booked in, as far as they are missing.
  Result<void> make(std::span<const Booking> calls);
  /// A write failed: perhaps since another replica dropped a day.
  void unsure() { known_.clear(); }
  /// Drops the oldest day if all of it is before `before`. True: there was one.
  Result<bool> drop_oldest(SystemTime before);

 private:
  Result<void> make(const std::set<std::int64_t>& days);
  Result<void> drop(const std::string& name, std::int64_t day);

  PgLink& link_;
  std::set<std::int64_t> known_;  // since 1970
};

}  // namespace tollgate::ledger
