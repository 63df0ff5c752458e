// Replay: which rows a journal holds that its database may not have. Used at start-up and by the
// commands while no gateway runs. One thread.
#pragma once
#include <vector>

#include "policies/ledger/journal.hpp"

namespace tollgate::ledger {

/// What a journal tells at a start.
struct Found {
  std::vector<std::string> rows;  ///< as `unwritten` gives them
  /// Calls whose settlement a store beyond the process may not have, as their rows have them:
  /// `unknown` where they never ended.
  std::vector<Outcome> unsettled;
};
[[nodiscard]] Found found_in(const Journal& journal);

/// Rows that were not drained, and calls that were begun and never ended as `unknown` rows, each
/// as a booking's bytes. What the database has all the same (the crash came between its commit and
/// our note of it) it knows by the id.
[[nodiscard]] std::vector<std::string> unwritten(const Journal& journal);

}  // namespace tollgate::ledger
