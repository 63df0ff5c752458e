// Runs a coroutine on a test's loop to its end. Shared by the rooms that test over sockets.
#pragma once
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <exception>

#include "gateway/net/asio_task.hpp"

namespace tollgate::net::test {

/// Fails the test when it takes longer than `patience`.
inline void run_work(boost::asio::io_context& io, Awaitable<void> work,
                     std::chrono::seconds patience) {
  bool done = false;
  std::exception_ptr thrown;
  spawn(io, std::move(work), [&](std::exception_ptr failed) {
    done = true;
    thrown = failed;
  });
  io.restart();
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done && std::chrono::steady_clock::now() < end)
    io.run_one_for(std::chrono::milliseconds(100));
  if (thrown) std::rethrow_exception(thrown);
  REQUIRE_MESSAGE(done, "the test's coroutine hangs");
}

}  // namespace tollgate::net::test
