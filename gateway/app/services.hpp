// Services: what the calls of one worker share. Shared: what all workers and all plans share and
// what must survive a reload. Both are made in serve() and passed by reference; there are no
// globals.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/app/access_log.hpp"
#include "gateway/app/ids.hpp"
#include "gateway/app/log.hpp"
#include "gateway/app/metrics_sink.hpp"
#include "gateway/app/plan.hpp"
#include "gateway/app/warnings.hpp"
#include "gateway/core/pause.hpp"
#include "policies/cache/memory.hpp"
#include "policies/spending.hpp"
#include "routing/upstream.hpp"

namespace tollgate::app {

struct Shared {
  Log& log;
  AccessLog& access_log;
  Metrics& metrics;
  policies::Treasury treasury;
  cache::MemoryCache* cache = nullptr;  ///< absent in tests that look at nothing but calls
  std::atomic<bool> draining{false};
  std::atomic<std::uint32_t> in_flight{0};
};

struct Services {
  Shared& shared;
  std::shared_ptr<const Plan> plan;  ///< replaced on the worker's own thread
  routing::Upstream& upstream;
  MetricsSink& metrics;
  BudgetWarnings& warnings;
  std::vector<OutcomeSink*> sinks;
  IdSource ids;
  Pause* pause = nullptr;  ///< absent in tests that wait for nothing
  std::uint64_t turn = 0;  ///< spreads calls over api_keys
};

}  // namespace tollgate::app
