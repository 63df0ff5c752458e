#include "policies/store/memory.hpp"

#include <algorithm>
#include <utility>

#include "policies/store/checks.hpp"

namespace tollgate::policies {
namespace {

Micros micros_of(SystemTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

struct MemoryReservation final : Reservation {
  std::vector<const Scope*> scopes;
  std::vector<std::shared_ptr<Account>> accounts;  // the scopes' own; a reload may take those over
  std::string user;
  std::size_t user_scope = SIZE_MAX;  // in `scopes`: whose `per_user` holds
  bool shares_nobody = false;
  std::uint64_t tokens = 0;
  NanoUsd estimate = 0;

  [[nodiscard]] MemoryAccount& account(std::size_t i) const {
    return static_cast<MemoryAccount&>(*accounts[i]);
  }
};

/// The locks of some accounts, taken in one order, so that no two calls wait for each other.
class Locks {
 public:
  explicit Locks(const std::vector<std::shared_ptr<Account>>& accounts) {
    for (const auto& account : accounts)
      mutexes_.push_back(&static_cast<MemoryAccount&>(*account).mutex);
    std::ranges::sort(mutexes_);
    const auto same = std::ranges::unique(mutexes_);
    mutexes_.erase(same.begin(), same.end());
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
  std::vector<std::mutex*> mutexes_;
};

/// One call's question, looked at scope by scope under the locks of all of them.
class Question {
 public:
  Question(const Ask& ask, SystemTime now, MemoryReservation& reservation)
      : ask_(ask), now_(now), reservation_(reservation) {
    for (std::size_t i = 0; i < reservation.scopes.size(); ++i)
      look_at(i);
  }

  [[nodiscard]] std::optional<Denial> limits() {
    std::optional<Denial> worst;
    for (const LimitPlace& place : limits_) {
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

  /// money.md M9. What the call may hold, or why it may not run.
  [[nodiscard]] std::expected<NanoUsd, Denial> budgets() {
    NanoUsd least = nano_max;
    const BudgetPlace* spent_out = nullptr;
    const BudgetPlace* held_up = nullptr;
    for (const BudgetPlace& place : budgets_) {
      const NanoUsd amount = place.amount(ask_.bound, ask_.estimate);
      if (amount <= 0 || amount <= place.free() - place.held) continue;
      if (!place.rule->enforce) {
        would_deny(place.scope->label());
      } else if (amount <= place.free()) {
        held_up = &place;
      } else if (place.rule->estimate) {
        return std::unexpected(budget_denial(place, DenialKind::budget_exceeded, now_));
      } else if (place.free() < least) {
        least = place.free();
        spent_out = &place;
      }
    }
    if (spent_out != nullptr) return cut_to(least, *spent_out);
    if (held_up != nullptr) {
      return std::unexpected(budget_denial(*held_up, DenialKind::budget_reserved, now_));
    }
    return ask_.bound;
  }

  void charge(NanoUsd held) {
    for (const LimitPlace& place : limits_) {
      // Without a limit nothing drains: one that a reload adds begins with a full bucket.
      if (place.rule->requests_per_minute > 0) place.buckets->requests.take(1);
      if (place.rule->tokens_per_minute > 0) place.buckets->tokens.take(ask_.tokens);
      ++place.buckets->concurrent;
    }
    for (std::size_t i = 0; i < reservation_.scopes.size(); ++i)
      reservation_.account(i).balance.hold(now_, held, ask_.estimate);
  }

  [[nodiscard]] Room room() const {
    Room room;
    double least = 2;
    for (const LimitPlace& place : limits_)
      note_room(place, room, least);
    return room;
  }
  [[nodiscard]] std::string take_would_deny() { return std::move(would_deny_); }

 private:
  void look_at(std::size_t i) {
    const Scope& scope = *reservation_.scopes[i];
    MemoryAccount& account = reservation_.account(i);
    limits_.push_back({&scope, &scope.limits, &account.buckets, {}, false});
    if (scope.per_user && reservation_.user_scope == SIZE_MAX) {
      reservation_.user_scope = i;
      Buckets& of = account.of_user(reservation_.user, *scope.per_user, micros_of(now_));
      reservation_.shares_nobody = &of == &account.nobody;
      limits_.push_back({&scope, &*scope.per_user, &of, reservation_.user, true});
    }
    account.balance.roll(now_);
    for (const BudgetRule& rule : scope.budgets) {
      const WindowSum* window = account.balance.of(rule.per, now_);
      budgets_.push_back({&scope, &rule, account.balance.spent(rule, now_),
                          rule.estimate ? window->held_estimate : window->held});
    }
  }

  [[nodiscard]] std::expected<NanoUsd, Denial> cut_to(NanoUsd money, const BudgetPlace& why) const {
    if (ask_.floor >= ask_.bound || ask_.floor > money) {
      return std::unexpected(budget_denial(why, DenialKind::budget_exceeded, now_));
    }
    for (const BudgetPlace& place : budgets_) {
      if (!place.rule->enforce || place.rule->estimate) continue;
      if (money > place.free() - place.held) {
        return std::unexpected(budget_denial(place, DenialKind::budget_reserved, now_));
      }
    }
    return money;
  }

  void would_deny(const std::string& label) {
    if (would_deny_.find(label) != std::string::npos) return;
    if (!would_deny_.empty()) would_deny_ += ',';
    would_deny_ += label;
  }

  const Ask& ask_;
  SystemTime now_;
  MemoryReservation& reservation_;
  std::vector<LimitPlace> limits_;
  std::vector<BudgetPlace> budgets_;
  std::string would_deny_;
};

/// Steps of `warn_at` that the spending has passed and nobody was told of.
void note_crossings(const Scope& scope, MemoryAccount& account, SystemTime admitted, SystemTime now,
                    std::vector<Crossing>& out) {
  for (const BudgetRule& rule : scope.budgets) {
    WindowSum* window = account.balance.of(rule.per, admitted);
    if (window == nullptr || rule.ceiling <= 0) continue;
    const NanoUsd spent = account.balance.spent(rule, admitted);
    const auto share =
        static_cast<std::uint64_t>(static_cast<unsigned __int128>(std::max<NanoUsd>(spent, 0)) *
                                   1000 / static_cast<std::uint64_t>(rule.ceiling));
    const SystemTime start = rule.per == Per::total && rule.since ? *rule.since : window->start;
    for (const std::uint32_t step : rule.warn_permille) {
      if (step > share || step <= window->told_permille) continue;
      window->told_permille = step;
      Crossing crossing{.scope = &scope,
                        .budget = rule,
                        .permille = step,
                        .spent = spent,
                        .reserved = window->held,
                        .resets_at = window_end(rule.per, admitted),
                        .gone_at = {}};
      const double passed = std::chrono::duration<double>(now - start).count();
      if (spent > 0 && spent < rule.ceiling && passed > 0 && start > SystemTime{}) {
        const double left = static_cast<double>(rule.ceiling - spent) / static_cast<double>(spent);
        constexpr double years = 3e9;
        crossing.gone_at =
            now + std::chrono::seconds(static_cast<std::int64_t>(std::min(passed * left, years)));
      }
      out.push_back(std::move(crossing));
    }
  }
}

}  // namespace

bool MemoryStore::attach(Scope& scope) {
  const std::lock_guard lock(accounts_mutex_);
  std::vector<std::string> tenants{scope.tenant}, names{scope.name};
  tenants.insert(tenants.end(), scope.former_tenants.begin(), scope.former_tenants.end());
  names.insert(names.end(), scope.formerly.begin(), scope.formerly.end());
  const bool is_tenant = scope.kind == ScopeKind::tenant;
  auto& present = accounts_[Name(scope.kind, is_tenant ? "" : scope.tenant, scope.name)];
  if (present == nullptr) {
    for (const std::string& tenant : tenants) {
      for (const std::string& name : names) {
        const auto before = accounts_.find(Name(scope.kind, is_tenant ? "" : tenant, name));
        if (before == accounts_.end() || before->second == nullptr || present != nullptr) continue;
        present = std::exchange(before->second, nullptr);
      }
    }
  }
  const bool fresh = present == nullptr;
  if (fresh) present = std::make_shared<MemoryAccount>();
  scope.account = present;
  return fresh;
}

void MemoryStore::restore(const Scope& scope, SystemTime when, NanoUsd charged) {
  MemoryAccount& account = account_of(scope);
  const std::lock_guard lock(account.mutex);
  account.balance.roll(clock_.system());
  account.balance.spend(when, charged);
}

Awaitable<Verdict> MemoryStore::reserve(const Ask& ask) { co_return reserve_now(ask); }

Verdict MemoryStore::reserve_now(const Ask& ask) {
  auto reservation = std::make_unique<MemoryReservation>();
  reservation->scopes.assign(ask.scopes.begin(), ask.scopes.end());
  for (const Scope* scope : ask.scopes)
    reservation->accounts.push_back(scope->account);
  reservation->user = ask.user;
  const SystemTime now = clock_.system();
  const Locks locks(reservation->accounts);
  Question question(ask, now, *reservation);
  if (auto denial = question.limits()) return std::unexpected(std::move(*denial));
  auto held = question.budgets();
  if (!held) return std::unexpected(std::move(held.error()));
  question.charge(*held);
  reservation->admitted_at = now;
  reservation->held = *held;
  reservation->tokens = ask.tokens;
  reservation->estimate = ask.estimate;
  reserved_ += *held;
  Admitted admitted;
  admitted.room = question.room();
  admitted.would_deny = question.take_would_deny();
  admitted.reservation = std::move(reservation);
  return admitted;
}

Awaitable<std::expected<void, Denial>> MemoryStore::extend(Reservation& reservation,
                                                           NanoUsd total) {
  auto& own = static_cast<MemoryReservation&>(reservation);
  if (total <= own.held) co_return std::expected<void, Denial>{};
  const Locks locks(own.accounts);
  const NanoUsd more = total - own.held;
  for (std::size_t i = 0; i < own.scopes.size(); ++i) {
    Balance& balance = own.account(i).balance;
    for (const BudgetRule& rule : own.scopes[i]->budgets) {
      const WindowSum* window = balance.of(rule.per, own.admitted_at);
      if (!rule.enforce || rule.estimate || window == nullptr) continue;
      const BudgetPlace place{own.scopes[i], &rule, balance.spent(rule, own.admitted_at),
                              window->held};
      if (more <= place.free() - place.held) continue;
      const bool fits = total <= place.free();
      co_return std::unexpected(
          budget_denial(place, fits ? DenialKind::budget_reserved : DenialKind::budget_exceeded,
                        clock_.system()));
    }
  }
  for (std::size_t i = 0; i < own.scopes.size(); ++i)
    own.account(i).balance.hold(own.admitted_at, more, 0);
  own.held = total;
  reserved_ += more;
  co_return std::expected<void, Denial>{};
}

Awaitable<std::vector<Crossing>> MemoryStore::settle(std::unique_ptr<Reservation> reservation,
                                                     const Charge& charge) {
  co_return settle_now(*reservation, charge);
}

std::vector<Crossing> MemoryStore::settle_now(Reservation& reservation, const Charge& charge) {
  auto& own = static_cast<MemoryReservation&>(reservation);
  std::vector<Crossing> crossings;
  const SystemTime now = clock_.system();
  const Locks locks(own.accounts);
  const auto give_back = [&](Buckets& buckets, const LimitRule& rule) {
    --buckets.concurrent;
    if (rule.tokens_per_minute == 0) return;
    charge.tokens > own.tokens ? buckets.tokens.take(charge.tokens - own.tokens)
                               : buckets.tokens.give(own.tokens - charge.tokens);
  };
  for (std::size_t i = 0; i < own.scopes.size(); ++i) {
    MemoryAccount& account = own.account(i);
    const Scope& scope = *own.scopes[i];
    give_back(account.buckets, scope.limits);
    if (i == own.user_scope) {
      give_back(own.shares_nobody ? account.nobody : account.users[own.user], *scope.per_user);
    }
    account.balance.roll(now);
    account.balance.release(own.admitted_at, own.held, own.estimate);
    account.balance.spend(own.admitted_at, charge.charged);
    note_crossings(scope, account, own.admitted_at, now, crossings);
  }
  reserved_ -= own.held;
  spent_ += charge.charged;
  return crossings;
}

Awaitable<Result<std::vector<Reading>>> MemoryStore::read(std::span<const Scope* const> scopes,
                                                          std::string_view) {
  std::vector<Reading> readings;
  const SystemTime now = clock_.system();
  for (const Scope* scope : scopes) {
    MemoryAccount& account = account_of(*scope);
    const std::lock_guard lock(account.mutex);
    account.balance.roll(now);
    read_limits(*scope, account, now, readings);
    read_budgets(*scope, account, now, readings);
  }
  co_return readings;
}

Store::Totals MemoryStore::totals() const { return {reserved_, spent_}; }

}  // namespace tollgate::policies
