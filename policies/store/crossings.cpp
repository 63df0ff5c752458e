#include "policies/store/crossings.hpp"

#include <algorithm>

namespace tollgate::policies {
namespace {

/// When the rest is gone if it goes on as it went since `start`.
std::optional<SystemTime> gone_at(NanoUsd spent, NanoUsd ceiling, SystemTime start,
                                  SystemTime now) {
  const double passed = std::chrono::duration<double>(now - start).count();
  if (spent <= 0 || spent >= ceiling || passed <= 0) return std::nullopt;
  constexpr double a_century = 3e9;
  const double left = static_cast<double>(ceiling - spent) / static_cast<double>(spent);
  return now + std::chrono::seconds(static_cast<std::int64_t>(std::min(passed * left, a_century)));
}

std::uint64_t permille_of(NanoUsd spent, NanoUsd ceiling) {
  const auto part = static_cast<unsigned __int128>(std::max<NanoUsd>(spent, 0)) * 1000;
  return static_cast<std::uint64_t>(part / static_cast<std::uint64_t>(ceiling));
}

NanoUsd amount_of(std::uint32_t permille, NanoUsd ceiling) {
  return static_cast<NanoUsd>(static_cast<__int128>(ceiling) * permille / 1000);
}

}  // namespace

Crossing crossing_of(const Scope& scope, const BudgetRule& rule, std::uint32_t permille,
                     const CrossedWindow& window) {
  return {.scope = &scope,
          .budget = rule,
          .permille = permille,
          .spent = window.spent,
          .reserved = window.reserved,
          .resets_at = window_end(rule.per, window.admitted),
          .gone_at = gone_at(window.spent, rule.ceiling, window.start, window.now)};
}

void note_crossings(const Scope& scope, Balance& balance, SystemTime admitted, SystemTime now,
                    std::vector<Crossing>& out) {
  for (const BudgetRule& rule : scope.budgets) {
    WindowSum* window = balance.of(rule.per, admitted);
    if (window == nullptr || rule.warn_permille.empty() || rule.ceiling <= 0) continue;
    const NanoUsd spent = balance.spent(rule, admitted);
    const std::uint64_t share = permille_of(spent, rule.ceiling);
    SystemTime start = window->start;
    if (rule.per == Per::total) start = rule.since ? *rule.since : balance.first_day();
    for (const std::uint32_t step : rule.warn_permille) {
      const NanoUsd amount = amount_of(step, rule.ceiling);
      if (step > share) continue;
      if (step <= window->told_permille && amount <= window->told_amount) continue;
      window->told_permille = std::max(window->told_permille, step);
      window->told_amount = std::max(window->told_amount, amount);
      out.push_back(crossing_of(scope, rule, step,
                                {.start = start,
                                 .admitted = admitted,
                                 .now = now,
                                 .spent = spent,
                                 .reserved = window->held_in(rule)}));
    }
  }
}

}  // namespace tollgate::policies
