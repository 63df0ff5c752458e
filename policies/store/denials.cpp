#include "policies/store/denials.hpp"

#include <algorithm>

#include "policies/store/redis_account.hpp"

namespace tollgate::policies {

bool RememberedDenials::One::covers(const Ask& ask) const {
  if (user && *user != ask.user) return false;
  switch (denial.kind) {
    case DenialKind::tokens:
      return ask.tokens >= tokens;
    case DenialKind::budget_exceeded:
      return ask.bound >= bound && ask.estimate >= estimate && ask.floor >= floor;
    default:
      return true;
  }
}

std::optional<Denial> RememberedDenials::find(const Ask& ask, SystemTime now) {
  for (const Scope* scope : ask.scopes) {
    const auto known = by_account_.find(&redis_account(*scope));
    if (known == by_account_.end()) continue;
    std::erase_if(known->second, [now](const One& one) { return one.until <= now; });
    for (const One& one : known->second) {
      if (!one.covers(ask)) continue;
      Denial again = one.denial;
      again.of = scope;
      if (again.retry_after.count() > 0) {
        again.retry_after =
            std::max(std::chrono::ceil<std::chrono::milliseconds>(one.retry_at - now),
                     std::chrono::milliseconds(1));
      }
      return again;
    }
    if (known->second.empty()) by_account_.erase(known);
  }
  return std::nullopt;
}

void RememberedDenials::remember(const Ask& ask, const Denial& denial, SystemTime now,
                                 std::chrono::milliseconds longest) {
  if (denial.kind == DenialKind::budget_reserved || denial.kind == DenialKind::unavailable) return;
  if (denial.of == nullptr || longest.count() == 0) return;
  if (by_account_.size() >= accounts_max) by_account_.clear();
  const bool of_user = denial.scope != denial.of->label();
  auto& of_account = by_account_[&redis_account(*denial.of)];
  if (of_account.size() >= each_max) of_account.erase(of_account.begin());
  const bool named = denial.retry_after.count() > 0;
  const auto wait = named ? std::min(denial.retry_after, longest) : longest;
  of_account.push_back({.denial = denial,
                        .user = of_user ? std::optional<std::string>(ask.user) : std::nullopt,
                        .tokens = ask.tokens,
                        .bound = ask.bound,
                        .estimate = ask.estimate,
                        .floor = ask.floor,
                        .until = now + wait,
                        .retry_at = now + denial.retry_after});
}

void RememberedDenials::forget(std::span<const Scope* const> scopes) {
  if (by_account_.empty()) return;
  for (const Scope* scope : scopes)
    by_account_.erase(&redis_account(*scope));
}

}  // namespace tollgate::policies
