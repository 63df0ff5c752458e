// MemoryAccount: everything the in-process store keeps of one scope, behind one lock. Private to
// policies/store.
#pragma once
#include <list>
#include <mutex>
#include <string>
#include <string_view>
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
  /// The buckets of `user`; beyond `users_max` different ones they share those of nobody (M15).
  /// They stay where they are while a call counts in them.
  Buckets& of_user(std::string_view user, const LimitRule& rule, Micros now);

  static constexpr std::size_t users_max = 100'000;

  std::mutex mutex;
  Buckets buckets;
  Balance balance;
  Buckets nobody;

 private:
  struct User {
    std::string name;
    Buckets buckets;
  };
  bool forget_one(const LimitRule& rule, Micros now);

  std::list<User> users_;  // the one used last at the end
  std::unordered_map<std::string_view, std::list<User>::iterator> by_name_;
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
