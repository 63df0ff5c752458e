#include "policies/store/memory_account.hpp"

namespace tollgate::policies {

Buckets& MemoryAccount::of_user(const std::string& user, const LimitRule& rule, Micros now) {
  if (user.empty()) return nobody;
  const auto known = users.find(user);
  if (known != users.end()) return known->second;
  if (users.size() >= users_max) forget_idle(rule, now);
  return users.size() >= users_max ? nobody : users[user];
}

/// A full bucket says nothing that a new one would not.
void MemoryAccount::forget_idle(const LimitRule& rule, Micros now) {
  constexpr Micros second = 1'000'000;
  if (now < forgot_at_ + second) return;  // it looks at all of them
  forgot_at_ = now;
  for (auto entry = users.begin(); entry != users.end();) {
    Buckets& own = entry->second;
    own.requests.drain(requests_of(rule), now);
    own.tokens.drain(tokens_of(rule), now);
    const bool idle = own.concurrent == 0 && own.requests.full() && own.tokens.full();
    entry = idle ? users.erase(entry) : std::next(entry);
  }
}

}  // namespace tollgate::policies
