// Signal: how one coroutine of a connection waits for another of the same worker. One waiter at a
// time. `notify` resumes it at once, inside the call; what must not be re-entered posts instead.
#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "gateway/core/front.hpp"

namespace tollgate::net {

class Signal {
 public:
  /// Waits for the next `notify`; one that came before the wait is not seen.
  Awaitable<void> wait() {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [this](auto resume) { waiter_ = std::move(resume); }, boost::asio::use_awaitable);
  }
  void notify() {
    if (auto resume = std::exchange(waiter_, nullptr)) resume();
  }

 private:
  std::move_only_function<void()> waiter_;
};

}  // namespace tollgate::net
