// MemoryAccount: everything the in-process store keeps of one scope, behind one lock. Private to
// policies/store.
#pragma once
#include <mutex>
#include <string>
#include <unordered_map>

#include "gateway/core/store.hpp"
#include "policies/store/balance.hpp"
#include "policies/store/bucket.hpp"

namespace tollgate::policies {

/// The buckets of one scope, or of one `user` of a tenant.
struct Buckets {
  Bucket requests, tokens;
  std::uint64_t concurrent = 0;
};

struct MemoryAccount final : Account {
  /// The buckets of `user`; beyond `users_max` different ones they share those of nobody.
  Buckets& of_user(const std::string& user, const LimitRule& rule, Micros now);

  static constexpr std::size_t users_max = 100'000;

  std::mutex mutex;
  Buckets buckets;
  Balance balance;
  std::unordered_map<std::string, Buckets> users;
  Buckets nobody;

 private:
  void forget_idle(const LimitRule& rule, Micros now);

  Micros forgot_at_ = 0;
};

[[nodiscard]] inline MemoryAccount& account_of(const Scope& scope) {
  return static_cast<MemoryAccount&>(*scope.account);
}

[[nodiscard]] inline BucketRule requests_of(const LimitRule& rule) {
  return {rule.requests_per_minute, rule.burst};
}
[[nodiscard]] inline BucketRule tokens_of(const LimitRule& rule) {
  return {rule.tokens_per_minute, rule.burst};
}

}  // namespace tollgate::policies
