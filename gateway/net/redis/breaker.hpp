// RedisBreaker: keeps callers from a node that does not answer: after five failures in a row
// nothing is sent for a second, then one probe; each probe that fails doubles the wait up to half
// a minute. Pure: time comes in. Owned by a link; its worker's thread.
#pragma once
#include "gateway/core/clock.hpp"

namespace tollgate::net {

class RedisBreaker {
 public:
  /// Whether a call may go out now. True while half open makes it the probe.
  [[nodiscard]] bool admit(SteadyTime now);
  void succeeded();
  void failed(SteadyTime now);
  [[nodiscard]] bool is_open() const { return state_ != State::closed; }

 private:
  enum class State : std::uint8_t { closed, open, probing };
  static constexpr int failures_max = 5;
  static constexpr std::chrono::milliseconds first_wait{1000}, longest_wait{30000};

  State state_ = State::closed;
  int failures_ = 0;
  std::chrono::milliseconds wait_ = first_wait;
  SteadyTime until_{};
};

}  // namespace tollgate::net
