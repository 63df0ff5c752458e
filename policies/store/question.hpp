// Question: one call asking all of its scopes at once: what they say to it, once the places where
// their limits and budgets stand are laid out. Nothing is changed before `charge`. Private to
// policies/store; whoever lays the places out keeps them in place.
#pragma once
#include <string>
#include <vector>

#include "policies/store/checks.hpp"
#include "policies/store/memory_account.hpp"

namespace tollgate::policies {

class Question {
 public:
  /// The call is admitted at `admitted_at`; its buckets go by `now`.
  Question(const Ask& ask, SystemTime now, SystemTime admitted_at);

  [[nodiscard]] SystemTime admitted_at() const { return admitted_at_; }
  void add(LimitPlace place) { limits_.push_back(place); }
  void add(BudgetPlace place) { budgets_.push_back(place); }
  /// Why the limits deny the call (the one that takes longest), or nothing.
  [[nodiscard]] std::optional<Denial> limits();
  /// money.md M9. What the call may hold, or why it may not run.
  [[nodiscard]] std::expected<NanoUsd, Denial> budgets();
  /// Charges the buckets.
  void fill_buckets();
  [[nodiscard]] Room room() const;
  [[nodiscard]] std::string take_would_deny() { return std::move(would_deny_); }

 private:
  [[nodiscard]] std::expected<NanoUsd, Denial> cut_to(NanoUsd money, const BudgetPlace& why) const;
  void would_deny(const std::string& label);

  const Ask& ask_;
  SystemTime now_, admitted_at_;
  std::vector<LimitPlace> limits_;
  std::vector<BudgetPlace> budgets_;
  std::string would_deny_;
};

/// Whether a reservation in these scopes is one of Store::Totals: that of a model alone holds money
/// which the call's own scopes hold already.
[[nodiscard]] inline bool counts_in_totals(std::span<const Scope* const> scopes) {
  return !scopes.empty() && scopes.front()->kind != ScopeKind::model;
}

struct MemoryReservation final : Reservation {
  std::vector<const Scope*> scopes;
  const Scope* user_scope = nullptr;  ///< whose `per_user` holds
  Buckets* user_buckets = nullptr;    ///< stay in place while the call counts in them
  std::uint64_t tokens = 0;
  NanoUsd estimate = 0;
  [[nodiscard]] bool counts() const { return counts_in_totals(scopes); }
};

/// A question to scopes whose accounts are in this process; the caller holds their locks. Moves
/// their windows on to `now`; the call is admitted then, or where a clock was set back, at the
/// latest time that one of them has seen.
class MemoryQuestion : public Question {
 public:
  MemoryQuestion(const Ask& ask, SystemTime now, MemoryReservation& reservation);
  /// Charges all scopes.
  void charge(NanoUsd held);

 private:
  void look_at(const Scope& scope, SystemTime now);

  const Ask& ask_;
  MemoryReservation& reservation_;
};

}  // namespace tollgate::policies
