// Where tasks meet Asio: `spawn` runs one on an event loop, and the completion token `as_task` lets
// one await an Asio operation: `auto [error] = co_await timer.async_wait(as_task)`. For what is not
// done for each request; sockets have their own operations (descriptor.hpp). The loop's thread.
#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <tuple>
#include <utility>

#include "gateway/core/task.hpp"

namespace tollgate::net {

/// Runs `task` on the thread of `io`: at once if that is this one. Then calls
/// `done(std::exception_ptr)`, or `done(std::exception_ptr, value)`, there.
template <class T, class Done>
void spawn(boost::asio::io_context& io, Task<T> task, Done done) {
  boost::asio::dispatch(io, [task = std::move(task), done = std::move(done)]() mutable {
    start(std::move(task), std::move(done));
  });
}

/// The completion token; brings all results as a tuple, throws nothing.
struct AsTask {};
inline constexpr AsTask as_task;

/// One Asio operation, begun when it is awaited.
template <class Begin, class... Results>
class AsioOperation {
 public:
  explicit AsioOperation(Begin begin) : begin_(std::move(begin)) {}

  static bool await_ready() noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiting) {
    // What begins it stays in the frame: its arguments may be looked at until it is under way.
    begin_(Handler{this, Suspended(waiting)});
  }
  std::tuple<Results...> await_resume() { return std::move(*results_); }

 private:
  struct Handler {
    AsioOperation* operation;
    Suspended waiting;
    void operator()(Results... results) {
      operation->results_.emplace(std::move(results)...);
      waiting.resume();
    }
  };
  Begin begin_;
  std::optional<std::tuple<Results...>> results_;
};

}  // namespace tollgate::net

template <class... Results>
class boost::asio::async_result<tollgate::net::AsTask, void(Results...)> {
 public:
  template <class Initiation, class... Arguments>
  static auto initiate(Initiation initiation, tollgate::net::AsTask, Arguments... arguments) {
    auto begin = [initiation = std::move(initiation),
                  ... arguments = std::move(arguments)](auto handler) mutable {
      std::move(initiation)(std::move(handler), std::move(arguments)...);
    };
    return tollgate::net::AsioOperation<decltype(begin), Results...>(std::move(begin));
  }
};
