// UpstreamStats: what one worker's upstream client counts. Written on the worker's thread only,
// read by the metrics scrape on any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace tollgate::net {

struct UpstreamStats {
  using Counter = std::atomic<std::uint64_t>;
  Counter connects{0};                ///< connections made, TLS included
  Counter connect_failures{0};        ///< TCP, proxy or TLS, time-outs included
  Counter reused{0};                  ///< requests sent on a kept connection
  Counter replaced{0};                ///< kept connections that had died and were replaced
  Counter dns_failures{0};            ///< names that could not be resolved
  Counter tls_handshakes{0};          ///< done, resumed ones included
  Counter tls_resumed{0};             ///< with an earlier session
  std::atomic<std::int64_t> open{0};  ///< gauge: connections now open, idle ones included
  std::atomic<std::int64_t> idle{0};  ///< gauge: connections waiting in the pool

  /// One writer: no locked instruction is needed.
  static void add(Counter& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  static void add(std::atomic<std::int64_t>& gauge, std::int64_t by) {
    gauge.store(gauge.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
};

/// Counts one open connection for as long as it lives.
class OpenMark {
 public:
  explicit OpenMark(UpstreamStats& stats) : stats_(&stats) { UpstreamStats::add(stats.open, 1); }
  OpenMark(OpenMark&& other) noexcept : stats_(std::exchange(other.stats_, nullptr)) {}
  OpenMark& operator=(OpenMark&&) = delete;
  ~OpenMark() {
    if (stats_ != nullptr) UpstreamStats::add(stats_->open, -1);
  }

 private:
  UpstreamStats* stats_;
};

}  // namespace tollgate::net
