// Books: the database of the ledger, as its writer sees it. One implementation for each engine.
// Used by one thread at a time.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/core/outcome.hpp"
#include "policies/ledger/booking.hpp"
#include "policies/ledger/ledger.hpp"

namespace tollgate::ledger {

/// What an export or a summary asks for; both ends by `started_at`.
struct Period {
  SystemTime from{}, to = SystemTime::max();
};

struct Books {
  virtual ~Books() = default;
  /// Names this database; made with it.
  virtual Result<std::string> id() = 0;
  /// All rows of these calls, or none of them. A call that is there already stays as it is, unless
  /// it is `unknown` and this one is not (M13).
  virtual Result<void> write(std::span<const Booking> calls) = 0;
  /// The same of calls that no database has yet, which need not be looked for.
  virtual Result<void> append(std::span<const Booking> calls) { return write(calls); }
  /// Sums by hour, for `Ledger::hours`.
  virtual Result<void> hours(SystemTime since, const std::function<void(const HourSum&)>& each) = 0;
  /// Calls with their attempts, oldest first.
  virtual Result<void> each_call(const Period& period,
                                 const std::function<void(const Outcome&)>& each) = 0;
  /// Drops some rows older than `before`; sums stay. True: there may be more.
  virtual Result<bool> forget(SystemTime before) = 0;
  /// Differences between rows and sums, one line each (M30).
  virtual Result<std::vector<std::string>> verify() = 0;
};

/// `read_only`: for commands; the file must be there. `fsync`: a commit outlives a power cut.
[[nodiscard]] Result<std::unique_ptr<Books>> open_sqlite(const std::string& path, bool read_only,
                                                         bool fsync = false);

/// `read_only`: as above. Error: one sentence, without the URL's password.
[[nodiscard]] Result<std::unique_ptr<Books>> open_postgres(const std::string& url, bool read_only);
/// That of the configuration.
[[nodiscard]] Result<std::unique_ptr<Books>> open_books(const config::LedgerConfig& config,
                                                        bool read_only);

/// Where journal and database of a configuration are, for people and for the journal.
struct Places {
  std::string database, journal;
};
[[nodiscard]] Places places_of(const config::LedgerConfig& config);

}  // namespace tollgate::ledger
