// Records: what the journal holds of a call. An intent is the call as it stands before an attempt
// is sent, the rows are the call as it ended; both are an Outcome. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

enum class RecordKind : std::uint8_t { intent = 1, rows = 2 };

struct Record {
  RecordKind kind = RecordKind::rows;
  Outcome outcome;
};

/// Appends the record's bytes to `out`.
void write_record(RecordKind kind, const Outcome& outcome, std::string& out);
/// nullopt: these bytes are no record.
[[nodiscard]] std::optional<Record> read_record(std::string_view bytes);

/// What a crash left of a call: its last attempt may have cost all that was reserved (money.md M25,
/// M27).
void make_unknown(Outcome& outcome);

}  // namespace tollgate::ledger
