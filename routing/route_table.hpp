// RouteTable: model name -> where its calls may go. Built from the configuration and given its
// targets' health before it serves; then immutable but for the counters of weighted choice. Asked
// once a call, on any worker.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "routing/hedging.hpp"
#include "routing/retry.hpp"
#include "routing/target.hpp"

namespace tollgate::routing {

class WildHealth;
class TargetHealth;
class ModelQueue;

/// One `models:` entry that has at least one usable target.
struct Route {
  std::string name;       ///< as configured, "anthropic/*" included
  std::size_t index = 0;  ///< position in the table, for metric handles
  bool wildcard = false;
  std::vector<Target> targets;  ///< model "*" stands for the rest of the asked name
  std::vector<std::shared_ptr<WildHealth>> wild;  ///< beside each target; nullptr: it has a name
  config::Strategy strategy = config::Strategy::ordered;
  std::vector<std::uint16_t> cycle;  ///< with `weighted`: whose turn it is
  std::optional<config::Affinity> affinity;
  config::BreakerConfig breaker;
  std::chrono::milliseconds timeout{}, hold_back{};
  std::vector<RawField> defaults;
  bool refuse_unsupported = false;
  bool drain_on_disconnect = false;
  std::optional<config::QueueConfig> queue;  ///< absent: nobody waits
  std::shared_ptr<ModelQueue> waiting;       ///< who does; absent with `queue`
  bool continue_streams = false;
  std::unique_ptr<Hedging> hedging;  ///< nullptr: no second requests
  RetryRules retry;                  ///< within this model
  std::uint32_t attempts_max = 6;    ///< of a call, whatever models it comes to
  std::deque<RetryBudget> repeats;   ///< of each target
  /// Names of models that stand by: for when every target has failed, and for prompts too long.
  std::vector<std::string> fallback, context_window_fallback;
  mutable std::atomic<std::uint64_t> turn{0};
};

/// A route for one asked name.
struct Match {
  const Route* route = nullptr;
  std::string_view rest;  ///< what the wildcard stood for, a view into the asked name
};

class RouteTable {
 public:
  RouteTable(
      const config::Config& config,
      const std::unordered_map<std::string, std::shared_ptr<const ProviderEntry>>& providers);

  /// An exact name beats the longest wildcard prefix. nullopt: no such model.
  [[nodiscard]] std::optional<Match> find(std::string_view model) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::unique_ptr<Route>> routes_;
  std::unordered_map<std::string, const Route*, Hash, std::equal_to<>> exact_;
  std::vector<std::pair<std::string, const Route*>> prefixes_;  // longest first
};

}  // namespace tollgate::routing
