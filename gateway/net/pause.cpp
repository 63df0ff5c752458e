#include "gateway/net/pause.hpp"

#include <boost/asio/steady_timer.hpp>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

struct Alarm final : Abortable {
  boost::asio::steady_timer timer;

  Alarm(boost::asio::io_context& io, SteadyTime until) : timer(io, until) {}
  void abort() noexcept override { timer.cancel(); }
};

}  // namespace

Awaitable<Result<void>> pause(boost::asio::io_context& io, SteadyTime until, AbortSlot& slot) {
  Alarm alarm(io, until);
  const AbortScope scope(slot, alarm);
  while (!slot.aborted() && std::chrono::steady_clock::now() < until)
    co_await alarm.timer.async_wait(as_task);
  if (slot.aborted()) co_return std::unexpected(slot.reason());
  co_return Result<void>{};
}

}  // namespace tollgate::net
