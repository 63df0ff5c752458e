#include "reference.hpp"

#include <algorithm>

namespace tollgate::store_tests {
namespace {

constexpr __int128 unit = 60'000'000;

bool has(const Reference::Call& call, const Scope& scope) {
  return std::ranges::find(call.scopes, scope.label()) != call.scopes.end();
}

void name(std::string& list, const std::string& label) {
  if (("," + list + ",").find("," + label + ",") != std::string::npos) return;
  list += (list.empty() ? "" : ",") + label;
}

}  // namespace

NanoUsd Reference::spent(const Scope& scope, const BudgetRule& rule, SystemTime at) const {
  NanoUsd sum = 0;
  for (const Call& call : calls_) {
    const bool counted = rule.per == Per::total && rule.since
                             ? call.admitted >= *rule.since
                             : window_start(rule.per, call.admitted) == window_start(rule.per, at);
    if (has(call, scope) && counted) sum += call.charged;
  }
  return sum;
}

NanoUsd Reference::held(const Scope& scope, const BudgetRule& rule, SystemTime at) const {
  NanoUsd sum = 0;
  for (const Call& call : calls_) {
    if (!call.running || !has(call, scope)) continue;
    if (window_start(rule.per, call.admitted) != window_start(rule.per, at)) continue;
    sum += rule.estimate ? call.estimate : call.held;
  }
  return sum;
}

std::uint64_t Reference::running(const Scope& scope) const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      calls_, [&](const Call& call) { return call.running && has(call, scope); }));
}

void Reference::look(const Scope& scope, SystemTime now) {
  const LimitRule& rule = scope.limits;
  requests_[scope.label()].push_back({now, rule.requests_per_minute, 0});
  tokens_[scope.label()].push_back({now, rule.tokens_per_minute, 0});
}

__int128 Reference::level(const Drops& drops, std::uint64_t rate, SystemTime now) {
  __int128 used = 0;
  SystemTime at{};
  const auto drain = [&](SystemTime until, std::uint64_t by) {
    const auto passed = std::chrono::duration_cast<microseconds>(until - at).count();
    used = std::max<__int128>(0, used - static_cast<__int128>(passed) * by);
    at = until;
  };
  for (const Drop& drop : drops) {
    drain(drop.at, drop.rate);
    used = std::max<__int128>(0, used + drop.amount * unit);
  }
  drain(now, rate);
  return used;
}

microseconds Reference::wait(const Drops& drops, std::uint64_t rate, const LimitRule& rule,
                             std::uint64_t amount, SystemTime now) {
  if (rate == 0) return {};
  const __int128 all = static_cast<__int128>(rate) * microseconds(rule.burst).count();
  const __int128 used = level(drops, rate, now), asked = amount * unit;
  // M15: what is larger than the bucket waits until it is full.
  const __int128 over = asked > all ? used : std::max<__int128>(0, used + asked - all);
  return microseconds(static_cast<std::int64_t>((over + rate - 1) / rate));
}

std::optional<Reference::Answer> Reference::limits(const Ask& ask, SystemTime now,
                                                   std::string& would_deny) {
  std::optional<Answer> worst;
  for (const Scope* scope : ask.scopes) {
    const LimitRule& rule = scope->limits;
    look(*scope, now);
    const auto requests = std::chrono::ceil<milliseconds>(
        wait(requests_[scope->label()], rule.requests_per_minute, rule, 1, now));
    const auto tokens = std::chrono::ceil<milliseconds>(
        wait(tokens_[scope->label()], rule.tokens_per_minute, rule, ask.tokens, now));
    std::optional<Answer> denial;
    if (requests.count() > 0 || tokens.count() > 0) {
      const auto kind = requests >= tokens ? DenialKind::requests : DenialKind::tokens;
      denial = {nullptr, kind, scope->label(), std::max(requests, tokens), {}};
    } else if (rule.concurrent > 0 && running(*scope) >= rule.concurrent) {
      denial = {nullptr, DenialKind::concurrent, scope->label(), seconds(1), {}};
    }
    if (!denial) continue;
    if (!rule.enforce) {
      name(would_deny, scope->label());
    } else if (!worst || denial->retry_after > worst->retry_after) {
      worst = denial;
    }
  }
  return worst;
}

std::expected<NanoUsd, Reference::Answer> Reference::budgets(const Ask& ask, SystemTime now,
                                                             std::string& would_deny) const {
  const auto denied = [](DenialKind kind) {
    return std::unexpected(Answer{nullptr, kind, {}, {}, {}});
  };
  bool held_up = false;
  std::optional<NanoUsd> least;
  bool soft_gone = false;
  for (const Scope* scope : ask.scopes) {
    for (const BudgetRule& rule : scope->budgets) {
      const NanoUsd free = rule.ceiling - spent(*scope, rule, now);
      const NanoUsd amount = rule.estimate ? ask.estimate : ask.bound;
      if (ask.bound == 0 || amount <= free - held(*scope, rule, now)) continue;
      if (!rule.enforce) {
        name(would_deny, scope->label());
      } else if (amount <= free) {
        held_up = true;
      } else if (rule.estimate) {
        soft_gone = true;
      } else {
        least = std::min(least.value_or(free), free);
      }
    }
  }
  if (soft_gone) return denied(DenialKind::budget_exceeded);
  if (!least && held_up) return denied(DenialKind::budget_reserved);
  if (!least) return ask.bound;
  if (ask.floor == ask.bound || ask.floor > *least) return denied(DenialKind::budget_exceeded);
  for (const Scope* scope : ask.scopes) {
    for (const BudgetRule& rule : scope->budgets) {
      const NanoUsd free = rule.ceiling - spent(*scope, rule, now);
      const NanoUsd amount = rule.estimate ? ask.estimate : *least;
      if (rule.enforce && amount > free - held(*scope, rule, now)) {
        return denied(DenialKind::budget_reserved);
      }
    }
  }
  return *least;
}

Reference::Answer Reference::reserve(const Ask& ask, SystemTime now) {
  std::string would_deny;
  if (auto denial = limits(ask, now, would_deny)) return *denial;
  const auto held = budgets(ask, now, would_deny);
  if (!held) return held.error();
  Call call{{}, now, ask.tokens, *held, ask.estimate, 0, true};
  for (const Scope* scope : ask.scopes) {
    const LimitRule& rule = scope->limits;
    const auto tokens = static_cast<std::int64_t>(ask.tokens);
    call.scopes.push_back(scope->label());
    if (rule.requests_per_minute > 0) {
      requests_[scope->label()].push_back({now, rule.requests_per_minute, 1});
    }
    if (rule.tokens_per_minute > 0) {
      tokens_[scope->label()].push_back({now, rule.tokens_per_minute, tokens});
    }
  }
  calls_.push_back(std::move(call));
  return {&calls_.back(), {}, {}, {}, would_deny};
}

std::optional<DenialKind> Reference::extend(Call& call, std::span<const Scope* const> scopes,
                                            NanoUsd total) const {
  if (total <= call.held) return std::nullopt;
  for (const Scope* scope : scopes) {
    for (const BudgetRule& rule : scope->budgets) {
      if (!rule.enforce || rule.estimate) continue;
      const NanoUsd free = rule.ceiling - spent(*scope, rule, call.admitted);
      if (total - call.held <= free - held(*scope, rule, call.admitted)) continue;
      return total <= free ? DenialKind::budget_reserved : DenialKind::budget_exceeded;
    }
  }
  call.held = total;
  return std::nullopt;
}

void Reference::settle(Call& call, std::span<const Scope* const> scopes, SystemTime now,
                       std::uint64_t tokens, NanoUsd charged) {
  const auto more = static_cast<std::int64_t>(tokens) - static_cast<std::int64_t>(call.tokens);
  for (const Scope* scope : scopes) {
    const std::uint64_t rate = scope->limits.tokens_per_minute;
    if (rate > 0) tokens_[scope->label()].push_back({now, rate, more});
  }
  call.running = false;
  call.charged = charged;
}

}  // namespace tollgate::store_tests
