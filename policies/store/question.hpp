// Question: one call asking all of its scopes at once, and what it holds in them once they have
// admitted it. Nothing is changed before `charge`. Private to policies/store; the caller holds the
// locks of all scopes.
#pragma once
#include <string>
#include <vector>

#include "policies/store/checks.hpp"
#include "policies/store/memory_account.hpp"

namespace tollgate::policies {

struct MemoryReservation final : Reservation {
  std::vector<const Scope*> scopes;
  const Scope* user_scope = nullptr;  ///< whose `per_user` holds
  Buckets* user_buckets = nullptr;    ///< stay in place while the call counts in them
  std::uint64_t tokens = 0;
  NanoUsd estimate = 0;
  /// False for one of model scopes alone: its money is already in the totals.
  [[nodiscard]] bool counts() const {
    return !scopes.empty() && scopes.front()->kind != ScopeKind::model;
  }
};

class Question {
 public:
  /// Moves the scopes' windows on to `now`; the call is admitted then, or where a clock was set
  /// back, at the latest time that one of them has seen.
  Question(const Ask& ask, SystemTime now, MemoryReservation& reservation);

  [[nodiscard]] SystemTime admitted_at() const { return admitted_at_; }
  /// Why the limits deny the call (the one that takes longest), or nothing.
  [[nodiscard]] std::optional<Denial> limits();
  /// money.md M9. What the call may hold, or why it may not run.
  [[nodiscard]] std::expected<NanoUsd, Denial> budgets();
  /// Charges all scopes.
  void charge(NanoUsd held);
  [[nodiscard]] Room room() const;
  [[nodiscard]] std::string take_would_deny() { return std::move(would_deny_); }

 private:
  void look_at(const Scope& scope);
  [[nodiscard]] std::expected<NanoUsd, Denial> cut_to(NanoUsd money, const BudgetPlace& why) const;
  void would_deny(const std::string& label);

  const Ask& ask_;
  SystemTime now_, admitted_at_;
  MemoryReservation& reservation_;
  std::vector<LimitPlace> limits_;
  std::vector<BudgetPlace> budgets_;
  std::string would_deny_;
};

}  // namespace tollgate::policies
