// PollPace: how often a coroutine that waits for another replica asks Redis: soon at first, then
// ever less often, and no more once Redis has not answered several times running. A value of the
// coroutine's; the worker's thread.
#pragma once
#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "gateway/core/front.hpp"
#include "gateway/net/asio_task.hpp"

namespace tollgate::app {

class PollPace {
 public:
  /// Until the next question.
  Awaitable<void> rest(boost::asio::io_context& io) {
    boost::asio::steady_timer timer(io, pause_);
    pause_ = std::min(pause_ * 3 / 2, longest);
    co_await timer.async_wait(net::as_task);
  }
  /// After each question. False: Redis is away.
  [[nodiscard]] bool goes_on(bool answered) {
    failures_ = answered ? 0 : failures_ + 1;
    return failures_ < failures_max;
  }

 private:
  static constexpr std::chrono::milliseconds first{20}, longest{500};
  static constexpr int failures_max = 3;

  std::chrono::milliseconds pause_ = first;
  int failures_ = 0;
};

}  // namespace tollgate::app
