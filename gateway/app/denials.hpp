// Denials: of more than ten calls a second that a limit or a budget refused one key, the rest is
// told in one row and one log line with a count (money.md M29): whoever is refused a thousand times
// a second must not fill the books. Shared by all workers, behind a lock that only refused calls
// take; the control thread collects what was merged.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "gateway/core/outcome.hpp"

namespace tollgate::app {

class Denials {
 public:
  static constexpr std::uint32_t told_apart = 10;  ///< a second and key

  /// True: the outcome was such a refusal and is counted in another's row. Any worker.
  [[nodiscard]] bool merge(const Outcome& outcome) noexcept;
  /// Rows of the seconds before `now`, each for `count` calls; SystemTime::max(): of all.
  [[nodiscard]] std::vector<Outcome> collect(SystemTime now);

 private:
  using Second = std::chrono::sys_seconds;
  struct Window {
    Second second{};
    std::uint32_t calls = 0;
  };
  /// second, key, model, error
  using Kind = std::tuple<Second, std::string, std::string, std::string>;

  std::mutex mutex_;
  std::unordered_map<std::string, Window> windows_;  // by key id
  std::map<Kind, Outcome> merged_;
};

/// Where a worker's calls are written down: to the access log and, of those that have rows, to the
/// ledger. One a worker, on its thread.
class RowSink final : public OutcomeSink {
 public:
  RowSink(Denials& denials, OutcomeSink& access_log, OutcomeSink& ledger)
      : denials_(denials), access_log_(access_log), ledger_(ledger) {}
  void record(const Outcome& outcome) noexcept override {
    if (!denials_.merge(outcome)) write(outcome);
  }
  /// What was merged.
  void write(const Outcome& outcome) noexcept {
    access_log_.record(outcome);
    ledger_.record(outcome);
  }

 private:
  Denials& denials_;
  OutcomeSink& access_log_;
  OutcomeSink& ledger_;
};

}  // namespace tollgate::app
