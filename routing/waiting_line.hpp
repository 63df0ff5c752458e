// WaitingLine: the calls that wait for a place at one provider. Each place goes to the tenant that
// has had the least of its share of late (see ShareTree), and there to the call that came first. A
// place that comes free is handed over by whoever frees it, so that nobody overtakes and nobody
// wakes in vain. Part of the provider's limit, kept over reloads. Any thread; while nobody waits it
// costs a call one load.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "gateway/core/clock.hpp"
#include "routing/availability.hpp"
#include "routing/share_tree.hpp"
#include "routing/waiter.hpp"

namespace tollgate::routing {

class ProviderLimit;

class WaitingLine {
 public:
  /// `limit` owns it.
  explicit WaitingLine(const ProviderLimit& limit) : limit_(limit) {}
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  [[nodiscard]] std::size_t size() const { return size_.load(std::memory_order_seq_cst); }
  /// Those who wait want what is not there: whoever comes now stands behind them.
  [[nodiscard]] bool blocked() const { return blocked_.load(std::memory_order_relaxed); }
  /// What a call is told that would have to stand behind those that wait.
  [[nodiscard]] static Availability behind(SteadyTime now);

  /// At the end of its tenant's; whoever may go goes at once.
  void enter(const std::shared_ptr<Waiter>& waiter, SteadyTime now);
  /// It waits no longer, whatever came of it.
  void leave(const Waiter& waiter, SteadyTime now);
  /// Hands out what is free.
  void serve(SteadyTime now);
  /// Sends all away, and whoever comes later: the process ends.
  void close();
  /// How long one who comes now would wait, by how it went of late; 0: nothing is known.
  [[nodiscard]] std::chrono::nanoseconds expected_wait(SteadyTime now) const;

 private:
  // With the lock:
  void serve_all(SteadyTime now);
  enum class Outcome : std::uint8_t {
    served,   ///< somebody got a place
    blocked,  ///< the limit is in the way of all
    nobody,   ///< none of those who wait can be helped
  };
  Outcome serve_one(SteadyTime now);
  void note_served(SteadyTime now);

  const ProviderLimit& limit_;
  std::atomic<std::size_t> size_{0};
  std::atomic<bool> blocked_{false};
  mutable std::mutex mutex_;
  ShareTree waiters_;
  SteadyTime now_{}, last_served_{};
  std::chrono::nanoseconds interval_{0};  // between two places, a moving average
  bool closed_ = false;
};

}  // namespace tollgate::routing
