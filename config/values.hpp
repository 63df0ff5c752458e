// The scalar values of the file: durations, sizes, addresses, dates, whole numbers; text to value
// and back. Pure: no message, no place. Called by the reader, the masker, the schema and commands.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace tollgate::config {

/// What YAML 1.2's core schema makes of an unquoted scalar. `not_json` is a number that JSON spells
/// otherwise or not at all (012, 0x10, .5, .inf).
enum class Plain : std::uint8_t { text, null, boolean, number, not_json };
[[nodiscard]] Plain classify(std::string_view text);

/// Decimal digits without sign or leading zero, at most 64 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_whole(std::string_view text);
/// `250ms 30s 10m 24h 30d`, or `0`; at most ten years.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// `p50` to `p99`, or a time that is not 0.
[[nodiscard]] std::optional<HedgeAfter> parse_hedge_after(std::string_view text);
/// `64KiB 32MiB 4GiB 1TiB`, or plain bytes.
[[nodiscard]] std::optional<Bytes> parse_bytes(std::string_view text);
/// `2027-01-01` (00:00 UTC) or RFC 3339; fractions of a second are dropped.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_time(std::string_view text);

/// US dollars as nano-dollars: `100`, `0.25`; no sign, at most nine decimals, at most nine billion.
[[nodiscard]] std::optional<NanoUsd> parse_usd(std::string_view text);
/// `0.5`, `0.85`, `1`: above 0, at most 1, at most three decimals; in thousandths.
[[nodiscard]] std::optional<std::uint32_t> parse_share(std::string_view text);

/// In the largest unit that divides it.
[[nodiscard]] std::string to_text(Duration duration);
[[nodiscard]] std::string to_text(Bytes bytes);
[[nodiscard]] std::string to_text(HedgeAfter after);               ///< `p95`, `800ms`
[[nodiscard]] std::string to_text(Share share);                    ///< `0.85`
[[nodiscard]] std::string to_text(std::chrono::sys_seconds time);  ///< `2027-01-01T00:00:00Z`

}  // namespace tollgate::config
