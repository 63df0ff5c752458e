// Stamp: what the mock upstream writes into every streamed delta and the load generator reads out
// of it again: `[000012@0000001234567890123]`, a sequence number and CLOCK_MONOTONIC nanoseconds.
// Of fixed width, so that a pre-rendered event is patched in place; of characters that no JSON
// writer escapes and no translation touches. Pure functions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::bench {

struct Stamp {
  static constexpr std::size_t sequence_digits = 6;
  static constexpr std::size_t time_digits = 19;
  static constexpr std::size_t size = sequence_digits + time_digits + 3;
  static constexpr std::string_view blank = "[000000@0000000000000000000]";

  std::uint64_t sequence = 0;
  std::int64_t sent_ns = 0;

  /// Writes `size` characters to `out`.
  void write(char* out) const;
};

/// The stamp at the front of `text`, if there is a whole one.
std::optional<Stamp> read_stamp(std::string_view text);

/// Takes the next stamp out of `text` (what lies before it is dropped); nothing: there is none.
std::optional<Stamp> next_stamp(std::string_view& text);

}  // namespace tollgate::bench
