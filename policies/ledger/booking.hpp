// Bookings: an ended call as the journal holds it and a database takes it: what its key and its
// sums need, and its rows, rendered once by the worker that ended it. The ledger's writer only
// copies them. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/outcome.hpp"

namespace tollgate::ledger {

/// Views into a record of the journal.
struct Booking {
  std::int64_t booked_at = 0;  ///< microseconds since 1970, UTC
  std::string_view request_id, tenant, key_id, model;
  CallStatus status = CallStatus::ok;
  std::uint64_t count = 1;
  NanoUsd charged = 0;
  /// Rows of `attempts` (packed_row.hpp), where the call's own row does not say all (M29).
  std::vector<std::string_view> attempts;
  std::string_view row;  ///< of `calls`
};

/// Appends the record's bytes to `out`.
void write_booking(const Outcome& call, std::string& out);
/// nullopt: these bytes are no booking.
[[nodiscard]] std::optional<Booking> read_booking(std::string_view bytes);
/// The call that it tells of.
[[nodiscard]] Outcome call_of(const Booking& booking);

}  // namespace tollgate::ledger
