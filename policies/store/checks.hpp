// Checks: what one call would do to one scope, asked before anything is changed. Private to
// policies/store; the caller holds the scope's lock.
#pragma once
#include <optional>
#include <string>

#include "policies/store/memory_account.hpp"

namespace tollgate::policies {

/// One place where limits stand: a scope, or the buckets of a `user` within it.
struct LimitPlace {
  const Scope* scope = nullptr;
  const LimitRule* rule = nullptr;
  Buckets* buckets = nullptr;
  std::string_view user;
  bool of_user = false;
  [[nodiscard]] std::string label() const {
    return of_user ? "user:" + std::string(user) : scope->label();
  }
};

/// Drains the buckets to `now`; why the place would deny, or nothing.
[[nodiscard]] std::optional<Denial> check_limits(const LimitPlace& place, std::uint64_t tokens,
                                                 SystemTime now);

/// The money of one budget as a call finds it.
struct BudgetPlace {
  const Scope* scope = nullptr;
  const BudgetRule* rule = nullptr;
  NanoUsd spent = 0, held = 0;
  [[nodiscard]] NanoUsd free() const { return rule->ceiling - spent; }
  [[nodiscard]] NanoUsd left() const { return add_saturated(free(), -held); }
  /// What the call holds in it.
  [[nodiscard]] NanoUsd amount(NanoUsd bound, NanoUsd estimate) const {
    return rule->estimate ? estimate : bound;
  }
};

[[nodiscard]] Denial budget_denial(const BudgetPlace& place, DenialKind kind, SystemTime now);

/// Why a call that holds `held` may not hold `total` in a budget, or nothing.
[[nodiscard]] std::optional<Denial> extension_denial(const BudgetPlace& place, NanoUsd held,
                                                     NanoUsd total, SystemTime now);

/// Puts the place's share into `room` if less is left of it than of what is there.
void note_room(const LimitPlace& place, Room& room, double& least);

// For GET /v1/usage.
void read_limits(const LimitPlace& place, SystemTime now, std::vector<Reading>& out);
[[nodiscard]] Reading read_budget(const BudgetPlace& place, SystemTime now);
void read_budgets(const Scope& scope, MemoryAccount& account, SystemTime now,
                  std::vector<Reading>& out);

}  // namespace tollgate::policies
