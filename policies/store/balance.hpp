// Balance: what one scope has spent and holds, in all five windows at once. Windows only move
// forward; the one before the present one is kept, since late ends belong to the window in which
// their call was admitted (money.md M16, M17). Plain value; whoever owns it locks.
#pragma once
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "gateway/core/store.hpp"

namespace tollgate::policies {

/// Of one window of one scope.
struct WindowSum {
  SystemTime start{};
  NanoUsd spent = 0;
  // Wide: a sum that saturates could not be taken back call by call.
  __int128 held = 0;           ///< by running calls: their bounds
  __int128 held_estimate = 0;  ///< their estimates, for soft budgets
  /// The last `warn_at` step that was reported, and the amount that it stood for: a reload may
  /// raise the ceiling, or lower it.
  std::uint32_t told_permille = 0;
  NanoUsd told_amount = 0;
  /// What running calls hold in such a budget.
  [[nodiscard]] NanoUsd held_in(const BudgetRule& budget) const {
    const __int128 sum = budget.estimate ? held_estimate : held;
    return sum > nano_max ? nano_max : static_cast<NanoUsd>(sum);
  }
};

class Balance {
 public:
  /// Moves the windows on to `now`, never back.
  void roll(SystemTime now);
  /// The latest time that they were moved to: a call is admitted no earlier, even where a clock was
  /// set back.
  [[nodiscard]] SystemTime latest() const { return latest_; }
  /// The day of the first amount that was spent; nothing yet: `latest()`.
  [[nodiscard]] SystemTime first_day() const {
    return days_.empty() ? latest_ : SystemTime(days_.begin()->first);
  }
  /// The window of a call admitted at `admitted`; nullptr: it is older than the one before the
  /// present one.
  [[nodiscard]] WindowSum* of(Per per, SystemTime admitted);
  void hold(SystemTime admitted, NanoUsd bound, NanoUsd estimate);
  void release(SystemTime admitted, NanoUsd bound, NanoUsd estimate);
  void spend(SystemTime admitted, NanoUsd amount);
  /// Spent in the present window of that budget; with `since`, from then on.
  [[nodiscard]] NanoUsd spent(const BudgetRule& budget, SystemTime admitted);

 private:
  [[nodiscard]] NanoUsd since(std::chrono::sys_seconds from);

  SystemTime latest_{}, rolls_at_{};
  struct Two {
    WindowSum now, before;
  };
  std::array<Two, per_count> windows_{};
  std::map<std::chrono::sys_days, NanoUsd> days_;
  // Sums from a date on, for budgets that begin there: made at the first ask, kept up from then.
  std::vector<std::pair<std::chrono::sys_seconds, NanoUsd>> since_;
};

}  // namespace tollgate::policies
