// Prober: asks providers with a `probe` whether they live, where no call would tell: while a
// breaker of theirs is open, or when nobody calls. The control thread decides who is due; a worker
// sends, and tells the targets' healths.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/app/log.hpp"
#include "gateway/app/plan.hpp"
#include "gateway/core/clock.hpp"
#include "routing/health.hpp"
#include "routing/upstream.hpp"

namespace tollgate::app {

/// One question to one provider, and whom its answer is for.
struct Probe {
  std::shared_ptr<const routing::ProviderEntry> provider;
  routing::HttpRequest request;
  std::vector<std::shared_ptr<routing::TargetHealth>> targets;
  AbortSlot slot;
};

/// Sends it; never fails. On a worker's thread.
Awaitable<void> send_probe(std::shared_ptr<Probe> probe, routing::Upstream& upstream, Log& log);

class Prober {
 public:
  /// The probes that are due, at most one for each provider and interval. Control thread.
  [[nodiscard]] std::vector<std::shared_ptr<Probe>> due(const Plan& plan, SteadyTime now);

 private:
  std::map<std::string, SteadyTime> next_;
};

}  // namespace tollgate::app
