// Services: what the calls of one worker share. Shared: what all workers and all plans share and
// what must survive a reload. Both are made in serve() and passed by reference; there are no
// globals.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/app/access_log.hpp"
#include "gateway/app/denials.hpp"
#include "gateway/app/ids.hpp"
#include "gateway/app/log.hpp"
#include "gateway/app/metrics_sink.hpp"
#include "gateway/app/plan.hpp"
#include "gateway/app/warnings.hpp"
#include "policies/cache/flights.hpp"
#include "policies/cache/memory.hpp"
#include "policies/idempotency/table.hpp"
#include "policies/spending.hpp"
#include "routing/upstream.hpp"

namespace boost::asio {
class io_context;
}
namespace tollgate::net {
class Deadlines;
}
namespace tollgate::cache {
class KeyMemo;
class RedisCache;
class SharedFlights;
}  // namespace tollgate::cache
namespace tollgate::policies {
class ReplicaKeys;
}

namespace tollgate::app {

/// Where waits of this worker end: what other threads wake, and what time does.
struct Loop {
  boost::asio::io_context& io;
  net::Deadlines& deadlines;
};

struct Shared {
  Log& log;
  AccessLog& access_log;
  Metrics& metrics;
  Denials denials{};
  cache::MemoryCache* cache = nullptr;  ///< absent in tests that look at nothing but calls
  cache::Flights* flights = nullptr;    ///< absent in tests that share nothing
  policies::IdempotencyTable* idempotency = nullptr;  ///< absent in tests that have no keys
  std::atomic<bool> draining{false};
  std::atomic<std::uint32_t> in_flight{0};
};

struct Services {
  Shared& shared;
  std::shared_ptr<const Plan> plan;  ///< replaced on the worker's own thread
  routing::Upstream& upstream;
  MetricsSink& metrics;
  BudgetWarnings& warnings;
  policies::Treasury treasury;
  std::vector<OutcomeSink*> sinks;
  IdSource ids;
  const Loop* loop = nullptr;                 ///< for calls that wait for another worker's
  cache::RedisCache* shared_cache = nullptr;  ///< in place of Shared::cache
  cache::SharedFlights* shared_flights = nullptr;  ///< beside shared_cache
  policies::ReplicaKeys* replicas = nullptr;  ///< of calls with an Idempotency-Key
  cache::KeyMemo* key_memo = nullptr;         ///< absent: every key is worked out
};

}  // namespace tollgate::app
