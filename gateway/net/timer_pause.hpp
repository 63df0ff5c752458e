// TimerPause: pauses of calls by timers of one worker's event loop. For waits that are rare and
// short; limits that every call has are Deadlines'.
#pragma once
#include <boost/asio/io_context.hpp>

#include "gateway/core/pause.hpp"

namespace tollgate::net {

class TimerPause final : public Pause {
 public:
  explicit TimerPause(boost::asio::io_context& io) : io_(io) {}
  Awaitable<void> until(SteadyTime when, AbortSlot& slot) override;

 private:
  boost::asio::io_context& io_;
};

}  // namespace tollgate::net
