// Records: what the journal holds of a call. An intent is the call as it stands before an attempt
// is sent, an Outcome; the rows are the call as it ended, a Booking (booking.hpp). Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

/// `whole`: rows as the release before wrote them, an Outcome too (M24).
enum class RecordKind : std::uint8_t { intent = 1, whole = 2, rows = 3 };

/// Appends the record's bytes to `out`.
void write_intent(const Outcome& outcome, std::string& out);
/// nullopt: these bytes are no record of that kind, or no Outcome.
[[nodiscard]] std::optional<Outcome> read_outcome(RecordKind kind, std::string_view bytes);

/// What a crash left of a call: its last attempt may have cost all that was reserved (money.md M25,
/// M27).
void make_unknown(Outcome& outcome);

}  // namespace tollgate::ledger
