#include "policies/store/redis_shared.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace tollgate::policies {

RedisShared::RedisShared(RedisTerms terms, const Clock& clock)
    : terms_(std::move(terms)),
      clock_(clock),
      keys_(terms_.prefix, terms_.cluster),
      local_(clock),
      books_at_(micros_of(clock.system())) {}

std::shared_ptr<RedisAccount> RedisShared::make(const Scope& scope) {
  auto account = std::make_shared<RedisAccount>();
  account->tag = RedisKeys::tag(scope);
  account->key = keys_.scope(scope.kind, account->tag, scope.tenant, scope.name);
  for (const auto& [kind, tenant, name] : account_names(scope)) {
    Scope before;
    before.kind = kind;
    before.name = name;
    before.tenant = kind == ScopeKind::tenant ? name : tenant;
    const bool at_root = scope.root == scope.tenant;
    before.root = at_root ? before.tenant : scope.root;
    const std::string tag = RedisKeys::tag(before);
    if (terms_.cluster && tag != account->tag) continue;  // not within one script's reach
    account->former.push_back(keys_.scope(kind, tag, before.tenant, name));
  }
  std::erase(account->former, account->key);
  return account;
}

bool RedisShared::attach(Scope& scope) {
  const std::lock_guard lock(mutex_);
  const std::vector<AccountName> names = account_names(scope);
  auto& present = accounts_[names.front()];
  const bool fresh = present == nullptr;
  if (fresh) {
    present = make(scope);
    for (const AccountName& name : names) {
      const auto before = accounts_.find(name);
      if (before == accounts_.end() || before->second == nullptr) continue;
      if (before->second == present) continue;
      before->second->moved_to.store(present.get(), std::memory_order_release);
      moved_.push_back(std::exchange(before->second, nullptr));
    }
  }
  auto seat = std::make_shared<RedisSeat>();
  seat->account = present;
  seat->local = local_copy(scope);
  scope.account = std::move(seat);
  return fresh;
}

/// With what `on_error` leaves of its rules.
Scope RedisShared::local_copy(const Scope& scope) {
  Scope local = scope;
  local.account = nullptr;
  if (terms_.on_error.limits != config::OnStoreError::local) {
    local.limits = {};
    local.per_user.reset();
  }
  if (terms_.on_error.budgets != config::OnStoreError::local) local.budgets.clear();
  local_.attach(local);
  return local;
}

void RedisShared::restore(const Scope& scope, SystemTime when, NanoUsd charged) {
  RedisAccount& account = redis_account(scope);
  const auto hour = std::chrono::floor<std::chrono::hours>(when).time_since_epoch();
  const std::lock_guard lock(account.mutex);
  NanoUsd& sum = account.spent[std::chrono::seconds(hour).count()];
  sum = add_saturated(sum, charged);
  // What is read anew the store in the process knows already.
  if (terms_.on_error.budgets == config::OnStoreError::local && !lost_) {
    local_.restore(local_scope(scope), when, charged);
  }
}

void RedisShared::forget_books() {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, account] : accounts_) {
    if (account == nullptr) continue;
    const std::lock_guard of_account(account->mutex);
    account->spent.clear();
  }
}

void RedisShared::books_are_read(SystemTime when) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, account] : accounts_) {
    if (account != nullptr) account->seen = 0;
  }
  books_at_ = micros_of(when);
  lost_ = false;
}

void RedisShared::lost() {
  if (!lost_.exchange(true) && terms_.on_lost) terms_.on_lost();
}

SystemTime RedisShared::books_at() const {
  return terms_.on_lost ? time_of(books_at_) : clock_.system();
}

void RedisShared::add_spent(RedisAccount& account, RedisNumbers& numbers) const {
  // Hours matter as long as they may lie in this month's or the last month's window.
  constexpr std::int64_t a_day = 86400, recent = 63 * a_day;
  const std::int64_t now = micros_of(clock_.system()) / 1'000'000;
  std::map<std::int64_t, NanoUsd> sums;
  {
    const std::lock_guard lock(account.mutex);
    for (const auto& [second, amount] : account.spent) {
      NanoUsd& sum = sums[second < now - recent ? second - second % a_day : second];
      sum = add_saturated(sum, amount);
    }
  }
  numbers.add_count(sums.size());
  for (const auto& [second, amount] : sums) {
    numbers.add(second);
    numbers.add_money(amount);
  }
}

void RedisShared::settled(NanoUsd held, NanoUsd charged) {
  reserved_ -= held;
  spent_ += charged;
}

void RedisShared::failed(const Error& error) {
  ++errors_;
  if (!away_.exchange(true) && terms_.warn) {
    terms_.warn("the store is away, on_error holds: " +
                (error.detail.empty() ? error.message : error.detail));
  }
}

void RedisShared::worked() {
  if (!away_.load(std::memory_order_relaxed)) return;
  if (away_.exchange(false) && terms_.warn) terms_.warn("the store answers again");
}

void RedisShared::warn_once(std::string_view text) {
  if (!warned_.exchange(true) && terms_.warn) terms_.warn(text);
}

void RedisShared::name(RunOut& call, const std::vector<std::string>& keys) {
  const std::lock_guard lock(mutex_);
  for (const auto& [of, account] : accounts_) {
    if (account == nullptr || std::ranges::find(keys, account->key) == keys.end()) continue;
    const auto& [kind, tenant, name] = of;
    if (kind == ScopeKind::model) call.model = name;
    if (kind != ScopeKind::key) continue;
    call.tenant = tenant;
    call.key = name;
  }
}

void RedisShared::ran_out(RunOut call, const std::vector<std::string>& keys) {
  ++run_out_;
  is_to_be_booked(std::move(call), keys);
}

void RedisShared::is_to_be_booked(RunOut call, const std::vector<std::string>& keys) {
  if (!terms_.on_run_out) return;
  name(call, keys);
  terms_.on_run_out(call);
}

void RedisShared::leave(LeftCall call) {
  const std::lock_guard lock(mutex_);
  left_.push_back(std::move(call));
}

std::vector<LeftCall> RedisShared::take_left() {
  const std::lock_guard lock(mutex_);
  return std::exchange(left_, {});
}

std::vector<std::string> RedisShared::tags_of(const LeftCall& call) {
  const std::lock_guard lock(mutex_);
  const auto tag = [this](const AccountName& name) {
    const auto found = accounts_.find(name);
    const bool here = found != accounts_.end() && found->second != nullptr;
    return here ? found->second->tag : std::string{};
  };
  std::vector<std::string> tags{tag({ScopeKind::key, call.tenant, call.key})};
  if (tags.front().empty()) tags.front() = tag({ScopeKind::tenant, "", call.tenant});
  if (terms_.cluster) tags.push_back(tag({ScopeKind::model, "", call.model}));
  std::erase(tags, std::string{});
  return tags;
}

std::vector<std::string> RedisShared::tags() {
  if (!terms_.cluster) return {{}};
  const std::lock_guard lock(mutex_);
  std::set<std::string> all;
  for (const auto& [name, account] : accounts_) {
    if (account != nullptr) all.insert(account->tag);
  }
  return {all.begin(), all.end()};
}

RedisCounts RedisShared::counts() const {
  return {errors_, degraded_, unfinished_, run_out_, away_};
}

}  // namespace tollgate::policies
