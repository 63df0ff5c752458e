// ModelQueue: how many of a model's calls wait for a place at a provider, and how such waits ended,
// for its `max` and for the metrics. One for each model with a queue, kept over reloads. Any
// thread.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace tollgate::routing {

/// How a wait ended.
enum class QueueEnd : std::uint8_t {
  admitted,
  timeout,  ///< nothing came free within `wait`, or within the call's own time
  full,     ///< it could not even begin
  left,     ///< the client hung up, or the gateway is shutting down
  broken,   ///< its targets fell ill meanwhile
};
inline constexpr std::array<std::string_view, 5> queue_ends{"admitted", "timeout", "full", "left",
                                                            "broken"};

class ModelQueue {
 public:
  /// Takes one of `max` places to wait at; false: there is none.
  bool enter(std::uint32_t max) {
    std::uint32_t now = waiting_.load(std::memory_order_relaxed);
    do {
      if (now >= max) {
        count(QueueEnd::full);
        return false;
      }
    } while (!waiting_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
    return true;
  }
  void leave(QueueEnd how, std::chrono::nanoseconds waited) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    waited_ns_.fetch_add(static_cast<std::uint64_t>(waited.count()), std::memory_order_relaxed);
    count(how);
  }
  [[nodiscard]] std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  [[nodiscard]] double waited_seconds() const {
    return static_cast<double>(waited_ns_.load(std::memory_order_relaxed)) / 1e9;
  }
  [[nodiscard]] std::uint64_t ended(QueueEnd how) const {
    return ended_[static_cast<std::size_t>(how)].load(std::memory_order_relaxed);
  }

 private:
  void count(QueueEnd how) {
    ended_[static_cast<std::size_t>(how)].fetch_add(1, std::memory_order_relaxed);
  }
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<std::uint64_t> waited_ns_{0};
  std::array<std::atomic<std::uint64_t>, queue_ends.size()> ended_{};
};

}  // namespace tollgate::routing
