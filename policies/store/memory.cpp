#include "policies/store/memory.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "policies/store/checks.hpp"
#include "policies/store/crossings.hpp"
#include "policies/store/question.hpp"

namespace tollgate::policies {
namespace {

/// The locks of some accounts, taken in one order, so that no two calls wait for each other.
class Locks {
 public:
  explicit Locks(std::span<const Scope* const> scopes) {
    std::span<std::mutex*> all(few_.data(), std::min(scopes.size(), few_.size()));
    if (scopes.size() > few_.size()) {
      many_.resize(scopes.size());
      all = many_;
    }
    std::ranges::transform(scopes, all.begin(),
                           [](const Scope* scope) { return &account_of(*scope).mutex; });
    std::ranges::sort(all);
    mutexes_ = all.first(all.size() - std::ranges::unique(all).size());
    for (std::mutex* mutex : mutexes_)
      mutex->lock();
  }
  ~Locks() {
    for (std::mutex* mutex : mutexes_)
      mutex->unlock();
  }
  Locks(const Locks&) = delete;
  Locks& operator=(const Locks&) = delete;

 private:
  std::array<std::mutex*, 6> few_;  // nearly always enough
  std::vector<std::mutex*> many_;   // else these
  std::span<std::mutex*> mutexes_;
};

}  // namespace

bool MemoryStore::attach(Scope& scope) {
  const std::lock_guard lock(accounts_mutex_);
  const std::vector<AccountName> names = account_names(scope);
  auto& present = accounts_[names.front()];
  for (const AccountName& name : names) {
    if (present != nullptr) break;
    const auto before = accounts_.find(name);
    if (before != accounts_.end()) present = std::exchange(before->second, nullptr);
  }
  const bool fresh = present == nullptr;
  if (fresh) present = std::make_shared<MemoryAccount>();
  scope.account = present;
  return fresh;
}

void MemoryStore::restore(const Scope& scope, SystemTime when, NanoUsd charged) {
  MemoryAccount& account = account_of(scope);
  const std::lock_guard lock(account.mutex);
  const SystemTime now = clock_.system();
  account.balance.roll(now);
  account.balance.spend(when, charged);
  std::vector<Crossing> told_before;
  note_crossings(scope, account.balance, when, now, told_before);
}

Awaitable<Verdict> MemoryStore::reserve(const Ask& ask) { co_return reserve_now(ask); }

Verdict MemoryStore::reserve_now(const Ask& ask) {
  auto reservation = std::make_unique<MemoryReservation>();
  const Locks locks(ask.scopes);
  // Under the locks, so that no scope sees the clock go back.
  MemoryQuestion question(ask, clock_.system(), *reservation);
  if (auto denial = question.limits()) return std::unexpected(std::move(*denial));
  const auto held = question.budgets();
  if (!held) return std::unexpected(held.error());
  question.charge(*held);
  if (reservation->counts()) reserved_ += *held;
  Admitted admitted;
  admitted.room = question.room();
  admitted.would_deny = question.take_would_deny();
  admitted.reservation = std::move(reservation);
  return admitted;
}

Awaitable<std::expected<void, Denial>> MemoryStore::extend(Reservation& reservation,
                                                           NanoUsd total) {
  co_return extend_now(reservation, total);
}

std::expected<void, Denial> MemoryStore::extend_now(Reservation& reservation, NanoUsd total) {
  auto& own = static_cast<MemoryReservation&>(reservation);
  if (total <= own.held) return {};
  const Locks locks(own.scopes);
  const NanoUsd more = total - own.held;
  for (const Scope* scope : own.scopes) {
    Balance& balance = account_of(*scope).balance;
    for (const BudgetRule& rule : scope->budgets) {
      const WindowSum* window = balance.of(rule.per, own.admitted_at);
      // A window that is two behind is gone: there is nothing left that it could pass.
      if (window == nullptr) continue;
      const BudgetPlace place{scope, &rule, balance.spent(rule, own.admitted_at),
                              window->held_in(rule)};
      auto denial = extension_denial(place, own.held, total, balance.latest());
      if (denial) return std::unexpected(std::move(*denial));
    }
  }
  for (const Scope* scope : own.scopes)
    account_of(*scope).balance.hold(own.admitted_at, more, 0);
  own.held = total;
  if (own.counts()) reserved_ += more;
  return {};
}

Awaitable<std::vector<Crossing>> MemoryStore::settle(std::unique_ptr<Reservation> reservation,
                                                     const Charge& charge) {
  co_return settle_now(static_cast<MemoryReservation&>(*reservation), charge);
}

std::vector<Crossing> MemoryStore::settle_now(MemoryReservation& own, const Charge& charge) {
  std::vector<Crossing> crossings;
  const Locks locks(own.scopes);
  const SystemTime now = clock_.system();
  const auto give_back = [&](Buckets& buckets, const LimitRule& rule, std::uint64_t tokens) {
    --buckets.concurrent;
    if (rule.tokens_per_minute == 0) return;
    buckets.tokens.drain(tokens_of(rule), micros_of(now));
    tokens > own.tokens ? buckets.tokens.take(tokens - own.tokens)
                        : buckets.tokens.give(own.tokens - tokens);
  };
  for (const Scope* scope : own.scopes) {
    MemoryAccount& account = account_of(*scope);
    const Charge::Part part = charge.part_of(scope->kind);
    give_back(account.buckets, scope->limits, part.tokens);
    if (scope == own.user_scope) give_back(*own.user_buckets, *scope->per_user, part.tokens);
    account.balance.roll(now);
    account.balance.release(own.admitted_at, own.held, own.estimate);
    account.balance.spend(own.admitted_at, part.charged);
    note_crossings(*scope, account.balance, own.admitted_at, now, crossings);
  }
  if (own.counts()) {
    reserved_ -= own.held;
    spent_ += charge.charged;
  }
  return crossings;
}

Awaitable<Result<std::vector<Reading>>> MemoryStore::read(std::span<const Scope* const> scopes,
                                                          std::string_view user) {
  std::vector<Reading> readings;
  const SystemTime now = clock_.system();
  bool user_read = false;
  for (const Scope* scope : scopes) {
    MemoryAccount& account = account_of(*scope);
    const std::lock_guard lock(account.mutex);
    account.balance.roll(now);
    read_limits({scope, &scope->limits, &account.buckets, {}, false}, now, readings);
    if (scope->per_user && !user_read) {
      user_read = true;
      Buckets& own = account.of_user(user, *scope->per_user, micros_of(now));
      read_limits({scope, &*scope->per_user, &own, user, true}, now, readings);
    }
    read_budgets(*scope, account, account.balance.latest(), readings);
  }
  co_return readings;
}

Store::Totals MemoryStore::totals() const { return {reserved_, spent_}; }

}  // namespace tollgate::policies
