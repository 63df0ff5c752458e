// ProviderLimit: what a provider allows us, counted by ourselves, so that a target is passed over
// instead of refused. Counts attempts of this process that go out on our keys, over all targets of
// the provider; kept over reloads. Any thread; where nothing is limited it costs one load.
#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>

#include "gateway/core/clock.hpp"
#include "routing/adaptive_limit.hpp"
#include "routing/availability.hpp"
#include "routing/waiting_line.hpp"

namespace tollgate::routing {

class ProviderLimit {
 public:
  ProviderLimit() = default;
  ProviderLimit(const ProviderLimit&) = delete;
  ProviderLimit& operator=(const ProviderLimit&) = delete;

  /// 0: no such limit.
  struct Rules {
    std::uint64_t requests_per_minute = 0, tokens_per_minute = 0;
    std::uint32_t concurrent = 0;
    bool adaptive = false;  ///< `concurrent` is found, up to that one
    bool operator==(const Rules&) const = default;
  };
  void set(const Rules& rules);
  [[nodiscard]] bool limited() const { return limited_.load(std::memory_order_relaxed); }

  /// Whether an attempt of so many tokens fits now. One that is larger than the minute's tokens
  /// fits when none of them is used, and leaves debt.
  [[nodiscard]] Availability look(std::uint64_t tokens, SteadyTime now) const;
  /// The calls that wait for it.
  [[nodiscard]] WaitingLine& line() { return line_; }
  [[nodiscard]] const WaitingLine& line() const { return line_; }
  /// Takes them and a place; or says why not.
  [[nodiscard]] Availability take(std::uint64_t tokens, SteadyTime now);
  /// Gives the place back, and what was taken too much; or takes what was too little.
  void give_back(std::uint64_t taken, std::uint64_t used, SteadyTime now);
  /// How an attempt went: what an adaptive limit learns from.
  void first_token(std::chrono::nanoseconds took);
  void failed();
  /// How many may run at a time; 0: no such limit.
  [[nodiscard]] std::uint32_t concurrent() const;

 private:
  /// What is left of one minute's worth.
  struct Bucket {
    double left = 0;
    SteadyTime at{};
    void refill(std::uint64_t per_minute, SteadyTime now);
    [[nodiscard]] SteadyTime when(std::uint64_t per_minute, double amount, SteadyTime now) const;
  };
  [[nodiscard]] std::uint32_t places() const;                                    // with the lock
  [[nodiscard]] Availability judge(std::uint64_t tokens, SteadyTime now) const;  // with the lock

  std::atomic<bool> limited_{false};
  mutable std::mutex mutex_;
  Rules rules_;
  AdaptiveLimit adaptive_;
  mutable Bucket requests_, tokens_;
  std::uint32_t running_ = 0;
  WaitingLine line_{*this};
};

}  // namespace tollgate::routing
