#include "policies/store/redis_call.hpp"

#include <algorithm>
#include <iterator>

namespace tollgate::policies {
namespace {

Buckets take_buckets(RedisAnswer& answer, SystemTime now) {
  const auto used = [&answer] { return static_cast<std::uint64_t>(answer.take()); };
  Buckets buckets;
  buckets.requests = Bucket::of(used(), micros_of(now));
  buckets.tokens = Bucket::of(used(), micros_of(now));
  buckets.concurrent = used();
  return buckets;
}

}  // namespace

bool RedisReservation::has_user(const RedisGroup& group) const {
  return user_scope != nullptr && std::ranges::find(group.scopes, user_scope) != group.scopes.end();
}

void RedisAsk::add_scopes(std::span<const Scope* const> of) {
  scopes = of;
  accounts.reserve(of.size());
  for (const Scope* scope : of) {
    RedisAccount& account = redis_account(*scope);
    accounts.push_back(&account);
    keys.push_back(account.key);
  }
}

void RedisAsk::add_user(const RedisKeys& keys_of, const Scope& scope, std::string_view user) {
  const RedisAccount& account = redis_account(scope);
  keys.push_back(user.empty() ? keys_of.nobody(account) : keys_of.user(account, user));
  keys.push_back(keys_of.nobody(account));
  keys.push_back(keys_of.users(account));
}

RedisPlaces::RedisPlaces(const Ask& ask, const RedisReservation& reservation)
    : ask_(ask), reservation_(reservation) {
  buckets_.reserve(ask.scopes.size() + 1);
}

void RedisPlaces::add(const RedisGroup& group, RedisAnswer& answer, SystemTime now,
                      SystemTime admitted) {
  if (!question_) question_.emplace(ask_, now, admitted);
  std::vector<LimitPlace> places;
  places.reserve(group.scopes.size() + 1);
  for (const Scope* scope : group.scopes)
    places.push_back(
        {scope, &scope->limits, &buckets_.emplace_back(take_buckets(answer, now)), {}, false});
  if (reservation_.has_user(group)) {
    const Scope* scope = reservation_.user_scope;
    const auto behind = std::ranges::find(places, scope, &LimitPlace::scope) + 1;
    places.insert(behind, {scope, &*scope->per_user,
                           &buckets_.emplace_back(take_buckets(answer, now)), ask_.user, true});
  }
  for (const LimitPlace& place : places)
    question_->add(place);
  for (const Scope* scope : group.scopes) {
    for (const BudgetRule& rule : scope->budgets) {
      const NanoUsd spent = answer.take_money(), held = answer.take_money();
      question_->add(BudgetPlace{scope, &rule, spent, held});
    }
  }
}

void RedisReadings::take(RedisAnswer& answer, std::vector<Reading>& out) const {
  const SystemTime now = time_of(answer.take());
  std::vector<std::vector<Reading>> by_scope;
  for (const Scope* scope : group_.scopes) {
    std::vector<Reading>& lines = by_scope.emplace_back();
    const SystemTime latest = time_of(answer.take());
    Buckets buckets = take_buckets(answer, now);
    read_limits({scope, &scope->limits, &buckets, {}, false}, now, lines);
    for (const BudgetRule& rule : scope->budgets) {
      const NanoUsd spent = answer.take_money(), held = answer.take_money();
      lines.push_back(read_budget({scope, &rule, spent, held}, latest));
    }
  }
  for (std::size_t i = 0; i < by_scope.size(); ++i) {
    std::ranges::move(by_scope[i], std::back_inserter(out));
    if (group_.scopes[i] != user_scope_) continue;
    Buckets buckets = take_buckets(answer, now);
    read_limits({user_scope_, &*user_scope_->per_user, &buckets, user_, true}, now, out);
  }
}

}  // namespace tollgate::policies
