// BudgetWarnings: what happens when a budget passes one of its `warn_at` steps: one log line, one
// count, and a POST to its webhook (money.md M18). One a worker, on its thread; nobody waits for
// it.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "gateway/app/log.hpp"
#include "gateway/app/metrics.hpp"
#include "gateway/core/store.hpp"
#include "routing/upstream.hpp"

namespace tollgate::app {

class BudgetWarnings {
 public:
  BudgetWarnings(Log& log, Metrics& metrics, routing::Upstream& upstream)
      : log_(log), metrics_(metrics), upstream_(upstream) {}

  void tell(const std::vector<Crossing>& crossings);

 private:
  struct Post;
  static Awaitable<void> send(std::shared_ptr<Post> post, routing::Upstream& upstream, Log& log);

  Log& log_;
  Metrics& metrics_;
  routing::Upstream& upstream_;
};

/// The webhook's body: scope, per, share, spent, reserved and limit in dollars, the window's end
/// and when the budget will be gone at the present rate.
[[nodiscard]] std::string warning_json(const Crossing& crossing);

}  // namespace tollgate::app
