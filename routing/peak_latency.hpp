// PeakLatency: how long a target takes to its first token, as a moving average that jumps up with
// every slow reply and comes down slowly, so that a target that has just become slow is left at
// once and one that has been left alone is tried again. Shared by all workers without a lock: two
// that write at the same time may lose one of two samples.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>

#include "gateway/core/clock.hpp"

namespace tollgate::routing {

class PeakLatency {
 public:
  using Nanos = std::chrono::nanoseconds;

  /// One more reply that took `took`.
  void observe(Nanos took, SteadyTime now) noexcept {
    const auto sample = static_cast<double>(took.count());
    const double faded = at(now);
    const double share = kept(now);
    const double next = std::max(sample, faded + sample * (1 - share));
    average_.store(next, std::memory_order_relaxed);
    stamp_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }

  /// What it is believed to be now, in nanoseconds: fades while nothing is heard. 0: unknown.
  [[nodiscard]] double at(SteadyTime now) const noexcept {
    const double average = average_.load(std::memory_order_relaxed);
    return average <= 0 ? 0 : average * kept(now);
  }
  /// The last average, unfaded, for people to read.
  [[nodiscard]] Nanos last() const noexcept {
    return Nanos(static_cast<Nanos::rep>(average_.load(std::memory_order_relaxed)));
  }

 private:
  static constexpr double fades_within = 10e9;  // ns: to a third of it

  [[nodiscard]] double kept(SteadyTime now) const noexcept {
    const auto since = now.time_since_epoch().count() - stamp_.load(std::memory_order_relaxed);
    return since <= 0 ? 1 : std::exp(-static_cast<double>(since) / fades_within);
  }

  std::atomic<double> average_{0};
  std::atomic<SteadyTime::rep> stamp_{0};
};

}  // namespace tollgate::routing
