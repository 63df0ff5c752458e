// CallPacks: the calls of a SQLite ledger. Several calls share one row of `call_packs`, a JSON
// array of their packed rows: an insert costs SQLite as much as all else of a call. A pack holds
// calls of one slot, a tenth of a second of `booked_at`, which its id names: so a call is found,
// a period read and old calls dropped without a look at the others. Owned by SqliteBooks; one
// thread, within that one's transactions.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/ledger/booking.hpp"
#include "policies/ledger/sqlite.hpp"

namespace tollgate::ledger {

/// Microseconds; hours are whole slots.
inline constexpr std::int64_t slot_micros = 100'000;
[[nodiscard]] constexpr std::int64_t slot_of(std::int64_t booked_at) {
  return booked_at / slot_micros;
}

class CallPacks {
 public:
  Result<void> prepare(sqlite3* database);

  /// Calls that the database has not.
  Result<void> append(std::span<const Booking> calls);

  /// What is to be done with a call, beside its row.
  struct Change {
    const Booking* call;
    std::string unknown;  ///< the row that made way for it; empty: there was none
  };
  /// Calls that may be there: those stay as they are, but for an `unknown` one that ends (M13).
  /// What was written, in no order.
  Result<std::vector<Change>> merge(std::span<const Booking> calls);

 private:
  struct Pack;
  using Calls = std::span<const Booking* const>;
  Result<void> append_slot(Calls calls);
  Result<void> merge_slot(Calls calls, std::vector<Change>& changes);
  Result<std::vector<Pack>> packs_of(std::int64_t slot);
  Result<void> keep(const std::vector<Pack>& packs);
  Result<void> insert(std::int64_t booked_at, std::string_view pack);
  /// `each` is called with the calls of one slot after another.
  Result<void> by_slot(std::span<const Booking> calls,
                       const std::function<Result<void>(Calls)>& each);

  sqlite3* database_ = nullptr;
  Statement insert_, update_, find_;
  std::vector<const Booking*> order_;
  std::string text_;
};

/// Calls each packed row with `booked_at` no earlier than the slot of `from`, oldest first.
Result<void> each_packed_call(sqlite3* database, std::int64_t from,
                              const std::function<void(std::string_view row)>& each);

}  // namespace tollgate::ledger
