// Ledger: the books. An intent is in the journal before a byte goes upstream; rows follow when the
// call is settled; one writer thread carries them into SQLite or PostgreSQL. After a crash what was
// begun and never ended becomes a row `unknown` at its reserved cost. No call waits for the
// database, no row is lost, none stands twice (money.md M26 to M30).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "gateway/core/error.hpp"
#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

struct Stats {
  std::uint64_t rows_written = 0;  ///< to the database, since the start
  std::uint64_t rows_waiting = 0;  ///< in the journal
  std::uint64_t bytes_waiting = 0;
  std::uint64_t intents_open = 0;
  std::uint64_t dropped = 0;            ///< rows lost because the journal could not be written
  std::uint64_t write_failures = 0;     ///< of the database
  std::uint64_t recovered_unknown = 0;  ///< rows `unknown` that start-up wrote
};

/// What was charged in one hour to one combination.
struct HourSum {
  std::string tenant, key_id, model;
  SystemTime hour{};  ///< its first instant, of admitted_at
  NanoUsd charged = 0;
};

class Ledger : public OutcomeSink {
 public:
  using Say = std::function<void(std::string_view severity, const std::string& message)>;

  /// Opens or makes journal and database (mode 0600), locks the journal, migrates the schema and
  /// settles what a crash left behind. Error: one sentence (in use, not writable, another ledger's
  /// journal, another schema).
  static Result<std::unique_ptr<Ledger>> open(const config::LedgerConfig& config, Say say);

  /// Calls `each` for every hour sum of rows with `admitted_at >= since`, what the crash left
  /// included. Before `start`.
  virtual Result<void> hours(SystemTime since, const std::function<void(const HourSum&)>& each) = 0;

  using Hours = std::vector<HourSum>;
  /// The same while it runs, behind all rows that wait: `done` is called on the writer's thread,
  /// with an error where the database is away or it ends first.
  virtual void ask_hours(std::function<void(Result<Hours>)> done) = 0;
  /// Which ledger this is; all that share a database have one.
  [[nodiscard]] virtual std::string id() const = 0;

  /// Starts the writer thread.
  virtual void start() = 0;
  /// Writes out what waits (at most `patience`; the rest stays in the journal), joins the thread.
  virtual void stop(std::chrono::milliseconds patience) = 0;

  /// Notes that the last attempt in `outcome.attempts` is about to be sent: request, tenant, key,
  /// models and the reserved amount are filled in. Any worker; costs well under a microsecond.
  /// Error: store_unavailable; the journal cannot be written.
  virtual Result<void> begin(const Outcome& outcome) = 0;
  /// The call's figures are final, and its settlement is about to be sent to a store that outlives
  /// this process: whatever comes between, these are the figures of its row. Any worker.
  virtual void ended(const Outcome& outcome) noexcept = 0;
  /// That store did not answer: until `settled` the journal keeps the call, whose rows may come.
  virtual void keep(std::string_view request_id) noexcept = 0;
  virtual void settled(std::string_view request_id) noexcept = 0;

  /// A call that the last process left, which may not be settled in a store that outlived it.
  struct Unsettled {
    std::string request_id, tenant, key_id, model;
    NanoUsd charged = 0;
    bool ended = false;  ///< else its row is `unknown`
  };
  /// Once, before `start`: all of them. From then on each is kept until `settled`.
  [[nodiscard]] virtual std::vector<Unsettled> take_unsettled() = 0;

  /// The call is settled: its rows. Any worker. Also what was denied.
  void record(const Outcome& outcome) noexcept override = 0;

  [[nodiscard]] virtual Stats stats() const = 0;
  ~Ledger() override = default;
};

}  // namespace tollgate::ledger
