// What the Redis store does while Redis is away, or has lost its data: `on_error`.
#include <algorithm>

#include "policies/store/redis.hpp"
#include "policies/store/redis_call.hpp"

namespace tollgate::policies {
namespace {

using config::OnStoreError;

bool has_limits(const Scope& scope) {
  return scope.limits.any() || (scope.per_user && scope.per_user->any());
}
bool enforces_limits(const Scope& scope) {
  return (scope.limits.any() && scope.limits.enforce) ||
         (scope.per_user && scope.per_user->any() && scope.per_user->enforce);
}
bool has_budget(const Scope& scope) { return !scope.budgets.empty(); }
bool enforces_budget(const Scope& scope) {
  return std::ranges::any_of(scope.budgets, &BudgetRule::enforce);
}

template <class Rule>
const Scope* first_that(std::span<const Scope* const> scopes, Rule rule) {
  const auto found =
      std::ranges::find_if(scopes, [rule](const Scope* scope) { return rule(*scope); });
  return found == scopes.end() ? nullptr : *found;
}

std::string degraded_of(std::span<const Scope* const> scopes) {
  std::string what;
  if (first_that(scopes, has_limits) != nullptr) what = "limits";
  if (first_that(scopes, has_budget) != nullptr) what += what.empty() ? "budgets" : ",budgets";
  return what;
}

std::vector<const Scope*> locals(std::span<const Scope* const> scopes) {
  std::vector<const Scope*> out;
  for (const Scope* scope : scopes)
    out.push_back(&local_scope(*scope));
  return out;
}

}  // namespace

const Scope* RedisStore::original(std::span<const Scope* const> scopes, const Scope* local) {
  const auto found = std::ranges::find_if(
      scopes, [local](const Scope* scope) { return &local_scope(*scope) == local; });
  return found == scopes.end() ? nullptr : *found;
}

/// What this call may not do without the store, by `on_error`; or nothing.
std::optional<Denial> RedisStore::denied_away(std::span<const Scope* const> scopes,
                                              NanoUsd bound) const {
  const config::OnErrorConfig& on_error = shared_.terms().on_error;
  const Scope* why = nullptr;
  if (on_error.budgets == OnStoreError::deny && bound > 0) {
    why = first_that(scopes, enforces_budget);  // M8: nobody else is refused for money
  }
  if (why == nullptr && on_error.limits == OnStoreError::deny) {
    why = first_that(scopes, enforces_limits);
  }
  if (why == nullptr) return std::nullopt;
  Denial denial;
  denial.kind = DenialKind::unavailable;
  denial.scope = why->label();
  denial.of = why;
  denial.retry_after = std::chrono::milliseconds(1000);
  return denial;
}

/// The store in the process answers in its place; what is settled reaches Redis once it is back.
Awaitable<Verdict> RedisStore::reserve_away(const Ask& ask, std::unique_ptr<RedisReservation> own) {
  shared_.count_degraded();
  if (auto denial = denied_away(ask.scopes, ask.bound)) co_return std::unexpected(*denial);
  const std::vector<const Scope*> scopes = locals(ask.scopes);
  Ask here = ask;
  here.scopes = scopes;
  auto verdict = co_await shared_.local().reserve(here);
  if (!verdict) {
    verdict.error().of = original(ask.scopes, verdict.error().of);
    co_return std::unexpected(std::move(verdict.error()));
  }
  own->admitted_at = verdict->reservation->admitted_at;
  own->held = verdict->reservation->held;
  own->local = std::move(verdict->reservation);
  // Another id: the first one may be given back in Redis, and stays so.
  own->groups = groups_of(own->scopes, own->id + "-local");
  if (own->counts()) shared_.held(own->held);
  own->running = running_.insert(running_.end(), own.get());
  verdict->reservation = std::move(own);
  verdict->degraded = degraded_of(ask.scopes);
  co_return std::move(*verdict);
}

Awaitable<std::expected<void, Denial>> RedisStore::extend_away(RedisReservation& own,
                                                               NanoUsd total) {
  if (own.local) {
    auto extended = co_await shared_.local().extend(*own.local, total);
    if (!extended) {
      extended.error().of = original(own.scopes, extended.error().of);
      co_return extended;
    }
  } else if (auto denial = denied_away(own.scopes, total)) {
    co_return std::unexpected(std::move(*denial));
  }
  if (own.counts()) shared_.held(total - own.held);
  own.held = total;
  co_return std::expected<void, Denial>{};
}

}  // namespace tollgate::policies
