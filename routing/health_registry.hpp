// HealthRegistry: who keeps the health of targets over reloads. Finds each plan's targets their
// health by provider and upstream model before the plan serves; a provider whose address or keys
// have changed begins anew. Control thread; WildHealth is asked by every worker.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/health.hpp"
#include "routing/model_queue.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

class RouteTable;
struct Route;

/// The health of the models that calls name through a wildcard: clients choose those names, so only
/// the latest few are remembered. The one lock on a call's way, and only on theirs.
class WildHealth {
 public:
  static constexpr std::size_t names_max = 1000;
  static constexpr std::size_t name_bytes_max = 256;
  using Named = std::map<std::string, std::shared_ptr<TargetHealth>, std::less<>>;

  WildHealth(std::string provider, std::size_t keys, std::shared_ptr<ProviderLimit> limit = nullptr)
      : provider_(std::move(provider)), keys_(keys), limit_(std::move(limit)) {}
  /// `named`: the models of this provider that have a health by name.
  void set(const BreakerRules& rules, Named named,
           std::shared_ptr<const BreakerListener> listener = nullptr);
  /// nullptr: the name is too long.
  [[nodiscard]] std::shared_ptr<TargetHealth> of(std::string_view model);
  /// Those under no name of their own, the latest first.
  [[nodiscard]] std::vector<std::shared_ptr<TargetHealth>> all() const;

 private:
  using Latest = std::list<std::shared_ptr<TargetHealth>>;

  const std::string provider_;
  const std::size_t keys_;
  const std::shared_ptr<ProviderLimit> limit_;
  mutable std::mutex mutex_;
  BreakerRules rules_;
  std::shared_ptr<const BreakerListener> listener_;
  Named named_;
  Latest latest_;
  std::unordered_map<std::string_view, Latest::iterator> places_;  // views into the healths
};

/// The healths of one target of a route: one, or under a wildcard one for each name asked lately.
[[nodiscard]] std::vector<std::shared_ptr<TargetHealth>> healths_of(const Route& route,
                                                                    std::size_t index);

class HealthRegistry {
 public:
  HealthRegistry() = default;
  /// `listener`: hears of every breaker that opens or closes.
  explicit HealthRegistry(BreakerListener listener)
      : listener_(std::make_shared<const BreakerListener>(std::move(listener))) {}
  /// Gives every target of the table its health.
  void attach(RouteTable& table, SteadyTime now);
  /// Sends away all calls that wait for a place, and those that come later: the process ends.
  void dismiss_waiters();

 private:
  struct Entry {
    std::size_t identity = 0;  // of the provider that it speaks about
    std::shared_ptr<TargetHealth> health;
    std::shared_ptr<WildHealth> wild;  // one of the two
    BreakerRules rules;
  };
  using Key = std::pair<std::string, std::string>;
  using Entries = std::map<Key, Entry>;

  Entries gather(const RouteTable& table);
  std::shared_ptr<ProviderLimit> limit_of(const ProviderEntry& provider);
  void hand_out(Route& route);

  std::shared_ptr<const BreakerListener> listener_;
  Entries entries_;
  std::map<std::string, std::shared_ptr<ProviderLimit>> limits_;
  std::map<std::string, std::shared_ptr<ModelQueue>> queues_;
};

}  // namespace tollgate::routing
