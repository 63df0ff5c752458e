// Export: the rows of calls as CSV, JSON lines (the contract's fields, section 6) or FOCUS 1.2.
// Used by `tollgate ledger export`. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

enum class Format : std::uint8_t { csv, jsonl, focus };
/// nullopt: no such format.
[[nodiscard]] std::optional<Format> parse_format(std::string_view name);

/// The first line; empty for JSON lines.
[[nodiscard]] std::string export_head(Format format);
/// Appends the call's rows: itself and each of its attempts; FOCUS: one row for each kind of use
/// that an attempt was charged for.
void export_call(Format format, const Outcome& call, std::string& out);

/// Appends one CSV field, quoted where it needs it.
void append_csv(std::string& out, std::string_view text);
void export_focus(const Outcome& call, std::string& out);
[[nodiscard]] std::string focus_head();

}  // namespace tollgate::ledger
