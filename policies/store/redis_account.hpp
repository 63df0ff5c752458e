// RedisAccount: where the Redis store keeps one scope, and what the ledger knows of it for the day
// that Redis knows nothing. Found when a plan is built, lives as long as the store. Private to
// policies/store; any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/core/store.hpp"

namespace tollgate::policies {

struct RedisAccount {
  std::string tag;                  ///< what Cluster places it by: its root tenant, or the model
  std::string key;                  ///< of its hash
  std::vector<std::string> former;  ///< keys that it may have had, in the same place
  /// It got another name: this one's balance is there now.
  std::atomic<RedisAccount*> moved_to{nullptr};
  /// At which of the store's moments Redis came to know it; 0: not yet. A question of a later
  /// moment that finds nothing finds that its data are lost; an earlier one may have come before
  /// the fill.
  std::atomic<std::uint64_t> seen{0};

  std::mutex mutex;
  std::map<std::int64_t, NanoUsd> spent;  ///< by the second at which the hour begins
};

/// What one plan's scope keeps: its balances, and itself as it holds while Redis is away.
struct RedisSeat final : Account {
  std::shared_ptr<RedisAccount> account;
  Scope local;  ///< its own account is that of the store in the process
};

[[nodiscard]] inline const Scope& local_scope(const Scope& scope) {
  return static_cast<const RedisSeat&>(*scope.account).local;
}
/// The account of a scope under its present name.
[[nodiscard]] inline RedisAccount& redis_account(const Scope& scope) {
  auto* account = static_cast<RedisSeat&>(*scope.account).account.get();
  while (RedisAccount* next = account->moved_to.load(std::memory_order_acquire))
    account = next;
  return *account;
}

/// The keys of one store: `prefix:VERSION:{tag}:...`.
class RedisKeys {
 public:
  /// Of what stands behind them (M24).
  static constexpr std::string_view version = "2";
  RedisKeys(std::string prefix, bool cluster)
      : prefix_(std::move(prefix) + ":" + std::string(version) + ":"), cluster_(cluster) {}
  /// Root tenant of the scope's tree, or its model; text that is safe in a key.
  [[nodiscard]] static std::string tag(const Scope& scope);
  [[nodiscard]] std::string scope(ScopeKind kind, std::string_view tag, std::string_view tenant,
                                  std::string_view name) const;
  [[nodiscard]] std::string user(const RedisAccount& account, std::string_view user) const;
  [[nodiscard]] std::string nobody(const RedisAccount& account) const;
  [[nodiscard]] std::string users(const RedisAccount& account) const;
  [[nodiscard]] std::string record(std::string_view tag, std::string_view id) const;
  /// Stands as long as the data are not lost.
  [[nodiscard]] std::string marker(std::string_view tag) const;
  /// Who stands behind the data; outside Cluster.
  [[nodiscard]] std::string workers() const { return prefix_ + "workers"; }
  /// Outside Cluster one list holds all leases.
  [[nodiscard]] std::string leases(std::string_view tag) const;

 private:
  std::string prefix_;
  bool cluster_;
};

}  // namespace tollgate::policies
