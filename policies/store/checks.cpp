#include "policies/store/checks.hpp"

#include <algorithm>

namespace tollgate::policies {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;

/// Money that running calls hold comes back when one of them ends: nobody knows when.
constexpr auto reserved_wait = milliseconds(1000);
constexpr auto concurrent_wait = milliseconds(1000);

Denial limit_denial(const LimitPlace& place, DenialKind kind, std::uint64_t limit,
                    std::uint64_t used, milliseconds wait, SystemTime now) {
  Denial denial;
  denial.kind = kind;
  denial.scope = place.label();
  denial.of = place.scope;
  denial.limit = limit;
  denial.used = used;
  denial.retry_after = std::max(wait, milliseconds(1));
  denial.resets_at = now + denial.retry_after;
  return denial;
}

std::optional<Denial> check_bucket(const LimitPlace& place, DenialKind kind, Bucket& bucket,
                                   const BucketRule& rule, std::uint64_t amount, SystemTime now) {
  if (rule.per_minute == 0) return std::nullopt;
  bucket.drain(rule, micros_of(now));
  if (bucket.fits(rule, amount)) return std::nullopt;
  return limit_denial(place, kind, rule.per_minute, bucket.used(),
                      ceil<milliseconds>(bucket.wait(rule, amount)), now);
}

}  // namespace

std::optional<Denial> check_limits(const LimitPlace& place, std::uint64_t tokens, SystemTime now) {
  const LimitRule& rule = *place.rule;
  Buckets& buckets = *place.buckets;
  auto requests =
      check_bucket(place, DenialKind::requests, buckets.requests, requests_of(rule), 1, now);
  auto amount =
      check_bucket(place, DenialKind::tokens, buckets.tokens, tokens_of(rule), tokens, now);
  if (requests && (!amount || requests->retry_after >= amount->retry_after)) return requests;
  if (amount) return amount;
  if (rule.concurrent > 0 && buckets.concurrent >= rule.concurrent) {
    return limit_denial(place, DenialKind::concurrent, rule.concurrent, buckets.concurrent,
                        concurrent_wait, now);
  }
  return std::nullopt;
}

Denial budget_denial(const BudgetPlace& place, DenialKind kind, SystemTime now) {
  Denial denial;
  denial.kind = kind;
  denial.scope = place.scope->label();
  denial.of = place.scope;
  denial.per = place.rule->per;
  denial.ceiling = place.rule->ceiling;
  denial.spent = place.spent;
  denial.reserved = place.held;
  denial.resets_at = window_end(place.rule->per, now);
  if (kind == DenialKind::budget_reserved) {
    denial.retry_after = reserved_wait;
  } else if (place.rule->per != Per::total) {
    denial.retry_after = ceil<milliseconds>(denial.resets_at - now);
  }
  return denial;
}

std::optional<Denial> extension_denial(const BudgetPlace& place, NanoUsd held, NanoUsd total,
                                       SystemTime now) {
  if (!place.rule->enforce || place.rule->estimate) return std::nullopt;
  if (total - held <= place.left()) return std::nullopt;
  const bool fits = total <= place.free();
  return budget_denial(place, fits ? DenialKind::budget_reserved : DenialKind::budget_exceeded,
                       now);
}

void note_room(const LimitPlace& place, Room& room, double& least) {
  const LimitRule& rule = *place.rule;
  const auto share = [](const Bucket& bucket, const BucketRule& of) {
    const auto all = static_cast<double>(Bucket::capacity(of)) / static_cast<double>(Bucket::unit);
    return all > 0 ? static_cast<double>(bucket.remaining(of)) / all : 0.0;
  };
  double left = 2;
  if (rule.requests_per_minute > 0) left = share(place.buckets->requests, requests_of(rule));
  if (rule.tokens_per_minute > 0) {
    left = std::min(left, share(place.buckets->tokens, tokens_of(rule)));
  }
  if (left >= least) return;
  least = left;
  const Buckets& buckets = *place.buckets;
  room = {.scope = place.label(),
          .limit_requests = rule.requests_per_minute,
          .remaining_requests = buckets.requests.remaining(requests_of(rule)),
          .limit_tokens = rule.tokens_per_minute,
          .remaining_tokens = buckets.tokens.remaining(tokens_of(rule)),
          .reset_requests = ceil<milliseconds>(buckets.requests.reset(requests_of(rule))),
          .reset_tokens = ceil<milliseconds>(buckets.tokens.reset(tokens_of(rule)))};
}

void read_limits(const LimitPlace& place, SystemTime now, std::vector<Reading>& out) {
  const LimitRule& rule = *place.rule;
  const auto add = [&](const char* what, Bucket& bucket, const BucketRule& of) {
    if (of.per_minute == 0) return;
    bucket.drain(of, micros_of(now));
    out.push_back({.scope = place.label(),
                   .budget = false,
                   .per = "minute",
                   .what = what,
                   .limit = of.per_minute,
                   .used = bucket.used(),
                   .reserved = 0,
                   .resets_at = now + bucket.reset(of)});
  };
  add("requests", place.buckets->requests, requests_of(rule));
  add("tokens", place.buckets->tokens, tokens_of(rule));
  if (rule.concurrent > 0) {
    out.push_back({.scope = place.label(),
                   .budget = false,
                   .per = "",
                   .what = "concurrent",
                   .limit = rule.concurrent,
                   .used = place.buckets->concurrent,
                   .reserved = 0,
                   .resets_at = {}});
  }
}

Reading read_budget(const BudgetPlace& place, SystemTime now) {
  return {.scope = place.scope->label(),
          .budget = true,
          .per = std::string(to_string(place.rule->per)),
          .what = "usd",
          .limit = static_cast<std::uint64_t>(place.rule->ceiling),
          .used = static_cast<std::uint64_t>(std::max<NanoUsd>(place.spent, 0)),
          .reserved = static_cast<std::uint64_t>(std::max<NanoUsd>(place.held, 0)),
          .resets_at = window_end(place.rule->per, now)};
}

void read_budgets(const Scope& scope, MemoryAccount& account, SystemTime now,
                  std::vector<Reading>& out) {
  for (const BudgetRule& rule : scope.budgets) {
    const WindowSum* window = account.balance.of(rule.per, now);
    out.push_back(
        read_budget({&scope, &rule, account.balance.spent(rule, now), window->held_in(rule)}, now));
  }
}

}  // namespace tollgate::policies
