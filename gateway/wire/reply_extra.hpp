// Where an ExtraDelta stands that a relayed reply's own members were made into: members that the
// hub has no type for (`system_fingerprint`, `citations`, `stop_reason`). Its `choice` says it.
// Made by the cache from what was relayed, read by the encoders of the same dialect.
#pragma once
#include <cstdint>

namespace tollgate::wire {

/// A member of the reply itself; the last one of a name counts.
constexpr std::uint32_t of_reply = 0xFFFFFFFFU;
/// A member of `usage`; likewise.
constexpr std::uint32_t of_usage = 0xFFFFFFFEU;
/// With a choice's index: a member of the choice, not of its message; likewise.
constexpr std::uint32_t of_choice = 0x80000000U;

}  // namespace tollgate::wire
