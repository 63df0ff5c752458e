#include "policies/store/memory_account.hpp"

namespace tollgate::policies {

Buckets& MemoryAccount::of_user(std::string_view user, const LimitRule& rule, Micros now) {
  if (user.empty()) return nobody;
  if (const auto known = by_name_.find(user); known != by_name_.end()) {
    users_.splice(users_.end(), users_, known->second);
    return known->second->buckets;
  }
  if (users_.size() >= users_max && !forget_one(rule, now)) return nobody;
  users_.push_back({std::string(user), {}});
  by_name_.emplace(users_.back().name, std::prev(users_.end()));
  return users_.back().buckets;
}

/// Full buckets say nothing that new ones would not. Only a few are looked at: the lock is held.
bool MemoryAccount::forget_one(const LimitRule& rule, Micros now) {
  for (int looked_at = 0; looked_at < 4; ++looked_at) {
    User& oldest = users_.front();
    oldest.buckets.requests.drain(requests_of(rule), now);
    oldest.buckets.tokens.drain(tokens_of(rule), now);
    const bool full = oldest.buckets.requests.full() && oldest.buckets.tokens.full();
    if (full && oldest.buckets.concurrent == 0) {
      by_name_.erase(oldest.name);
      users_.pop_front();
      return true;
    }
    users_.splice(users_.end(), users_, users_.begin());
  }
  return false;
}

}  // namespace tollgate::policies
