#include "gateway/net/timer_pause.hpp"

#include <boost/asio/steady_timer.hpp>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net {
namespace {

struct Cancel final : Abortable {
  explicit Cancel(boost::asio::steady_timer& waiting) : timer(waiting) {}
  void abort() noexcept override { timer.cancel(); }
  boost::asio::steady_timer& timer;
};

}  // namespace

Awaitable<void> TimerPause::until(SteadyTime when, AbortSlot& slot) {
  if (slot.aborted()) co_return;
  boost::asio::steady_timer timer(io_, when);
  Cancel cancel(timer);
  const AbortScope scope(slot, cancel);
  co_await timer.async_wait(as_task);
}

}  // namespace tollgate::net
