// Bookkeeping: what the Books of every engine share: the sums of a batch, a name for a new ledger,
// and how differences are told. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "policies/ledger/booking.hpp"

namespace tollgate::ledger {

/// What a batch adds to `totals`, in the order of their key: two writers never wait for each other
/// crosswise.
class Totals {
 public:
  struct Sum {
    std::int64_t calls = 0, charged = 0;
  };
  /// hour in microseconds, tenant, key id, model
  using Key = std::tuple<std::int64_t, std::string, std::string, std::string>;

  void add(const Booking& call);
  /// An `unknown` row makes way for the truth.
  void take_away(const Booking& unknown);
  [[nodiscard]] const std::map<Key, Sum>& sums() const { return sums_; }

 private:
  Sum& of(const Booking& call);
  std::map<Key, Sum> sums_;
  std::map<Key, Sum>::value_type* last_ = nullptr;  // mostly the next call's too
};

/// A UUID of version 4.
[[nodiscard]] std::string new_ledger_id();

[[nodiscard]] std::string hour_text(std::int64_t micros);

/// Columns as `hours_that_differ` gives them.
template <class Row>
[[nodiscard]] std::string hour_difference(const Row& row) {
  return hour_text(row.number_at(0)) + " tenant " + row.text_at(1) + " key " + row.text_at(2) +
         ": sums say " + row.text_at(3) + ", rows say " + row.text_at(4) + " nano-dollars";
}

/// Columns as `calls_that_differ` gives them.
template <class Row>
[[nodiscard]] std::string call_difference(const Row& row) {
  return "call " + row.text_at(0) + ": its row says " + row.text_at(1) + ", its attempts say " +
         row.text_at(2) + " nano-dollars";
}

}  // namespace tollgate::ledger
