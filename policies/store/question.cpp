#include "policies/store/question.hpp"

#include <algorithm>

namespace tollgate::policies {
namespace {

SystemTime latest_of(std::span<const Scope* const> scopes, SystemTime now) {
  for (const Scope* scope : scopes)
    now = std::max(now, account_of(*scope).balance.latest());
  return now;
}

}  // namespace

Question::Question(const Ask& ask, SystemTime now, SystemTime admitted_at)
    : ask_(ask), now_(now), admitted_at_(admitted_at) {
  limits_.reserve(ask.scopes.size() + 1);
  budgets_.reserve(ask.scopes.size() * 2);
}

std::optional<Denial> Question::limits() {
  std::optional<Denial> worst;
  for (const LimitPlace& place : limits_) {
    if (!place.rule->any()) continue;
    auto denial = check_limits(place, ask_.tokens, now_);
    if (!denial) continue;
    if (!place.rule->enforce) {
      would_deny(denial->scope);
    } else if (!worst || denial->retry_after > worst->retry_after) {
      worst = std::move(denial);
    }
  }
  return worst;
}

std::expected<NanoUsd, Denial> Question::budgets() {
  const BudgetPlace* spent_out = nullptr;
  const BudgetPlace* held_up = nullptr;
  if (ask_.bound == 0) return 0;  // nothing to pay: M8
  for (const BudgetPlace& place : budgets_) {
    const NanoUsd amount = place.amount(ask_.bound, ask_.estimate);
    if (amount <= place.left()) continue;
    if (!place.rule->enforce) {
      would_deny(place.scope->label());
    } else if (amount <= place.free()) {
      if (held_up == nullptr) held_up = &place;
    } else if (place.rule->estimate) {
      return std::unexpected(budget_denial(place, DenialKind::budget_exceeded, admitted_at_));
    } else if (spent_out == nullptr || place.free() < spent_out->free()) {
      spent_out = &place;
    }
  }
  if (spent_out != nullptr) return cut_to(spent_out->free(), *spent_out);
  if (held_up == nullptr) return ask_.bound;
  return std::unexpected(budget_denial(*held_up, DenialKind::budget_reserved, admitted_at_));
}

std::expected<NanoUsd, Denial> Question::cut_to(NanoUsd money, const BudgetPlace& why) const {
  if (ask_.floor >= ask_.bound || ask_.floor > money) {
    return std::unexpected(budget_denial(why, DenialKind::budget_exceeded, admitted_at_));
  }
  for (const BudgetPlace& place : budgets_) {
    if (!place.rule->enforce) continue;
    if (place.amount(money, ask_.estimate) > place.left()) {
      return std::unexpected(budget_denial(place, DenialKind::budget_reserved, admitted_at_));
    }
  }
  return money;
}

void Question::fill_buckets() {
  for (const LimitPlace& place : limits_) {
    // Without a limit nothing drains: one that a reload adds begins with a full bucket.
    if (place.rule->requests_per_minute > 0) place.buckets->requests.take(1);
    if (place.rule->tokens_per_minute > 0) place.buckets->tokens.take(ask_.tokens);
    ++place.buckets->concurrent;
  }
}

Room Question::room() const {
  Room room;
  double least = 2;
  for (const LimitPlace& place : limits_)
    note_room(place, room, least);
  return room;
}

void Question::would_deny(const std::string& label) {
  const std::string in_list = "," + would_deny_ + ",";
  if (in_list.find("," + label + ",") != std::string::npos) return;
  if (!would_deny_.empty()) would_deny_ += ',';
  would_deny_ += label;
}

MemoryQuestion::MemoryQuestion(const Ask& ask, SystemTime now, MemoryReservation& reservation)
    : Question(ask, now, latest_of(ask.scopes, now)), ask_(ask), reservation_(reservation) {
  for (const Scope* scope : ask.scopes)
    look_at(*scope, now);
}

void MemoryQuestion::look_at(const Scope& scope, SystemTime now) {
  MemoryAccount& account = account_of(scope);
  add(LimitPlace{&scope, &scope.limits, &account.buckets, {}, false});
  if (scope.per_user && reservation_.user_scope == nullptr) {
    reservation_.user_scope = &scope;
    reservation_.user_buckets = &account.of_user(ask_.user, *scope.per_user, micros_of(now));
    add(LimitPlace{&scope, &*scope.per_user, reservation_.user_buckets, ask_.user, true});
  }
  account.balance.roll(admitted_at());
  for (const BudgetRule& rule : scope.budgets) {
    const WindowSum* window = account.balance.of(rule.per, admitted_at());
    add(BudgetPlace{&scope, &rule, account.balance.spent(rule, admitted_at()),
                    window->held_in(rule)});
  }
}

void MemoryQuestion::charge(NanoUsd held) {
  fill_buckets();
  for (const Scope* scope : ask_.scopes)
    account_of(*scope).balance.hold(admitted_at(), held, ask_.estimate);
  reservation_.scopes.assign(ask_.scopes.begin(), ask_.scopes.end());
  reservation_.admitted_at = admitted_at();
  reservation_.held = held;
  reservation_.tokens = ask_.tokens;
  reservation_.estimate = ask_.estimate;
}

}  // namespace tollgate::policies
