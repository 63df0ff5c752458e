// The rows of the SQLite ledger and the Outcomes that they stand for, both directions. Used by
// SqliteBooks alone, on its thread.
#pragma once
#include "gateway/core/outcome.hpp"
#include "policies/ledger/sqlite.hpp"

namespace tollgate::ledger {

/// Whether the call's own row says all of its attempt (M29); else attempts have rows beside it.
[[nodiscard]] bool is_one_row(const Outcome& call);
/// Binds the columns of `calls`.
void bind_call(Statement& row, const Outcome& call);
/// Binds the columns of `attempts`; the first attempt is number 1.
void bind_attempt(Statement& row, const Outcome& call, std::size_t number);

/// The call in a row of `calls`; `others`: its attempts are in `attempts`.
[[nodiscard]] Outcome call_at(const Statement& row, bool& others);
/// The attempt in a row of `attempts`.
[[nodiscard]] AttemptOutcome attempt_at(const Statement& row);

}  // namespace tollgate::ledger
