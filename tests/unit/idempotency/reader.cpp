// A reply read on another worker while it is written: whenever a reader comes, however slow it is,
// it gets all bytes in order; and what else may end its wait.
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>
#include <future>
#include <thread>

#include "gateway/app/reply_reader.hpp"
#include "gateway/net/asio_task.hpp"
#include "gateway/net/deadlines.hpp"

namespace tollgate::app::test {
namespace {

using policies::ReplyLog;
using Step = ReplyReader::Step;

/// A worker's loop on a thread of its own.
struct LoopThread {
  boost::asio::io_context io{1};
  net::Deadlines deadlines{io};
  Loop loop{io, deadlines};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      boost::asio::make_work_guard(io)};
  std::thread thread{[this] { io.run(); }};
  ~LoopThread() {
    work.reset();
    boost::asio::post(io, [this] { deadlines.stop(); });
    thread.join();
  }
};

struct Room final : policies::LogRoom {
  bool take(std::uint64_t) noexcept override { return true; }
};

struct Seen {
  std::string text;
  std::vector<Step> steps;
  ReplyLog::State state = ReplyLog::State::running;
  std::optional<Error> error;
};

/// One reading call; `call` is touched on its worker only.
struct Reading {
  LoopThread& worker;
  std::shared_ptr<ReplyLog> log;
  Call call;
  std::promise<Seen> done;
  std::atomic<int> steps_taken = 0;

  Awaitable<Seen> read(SteadyTime until) {
    ReplyReader reader(worker.loop, log, call);
    Seen seen;
    for (;;) {
      Pieces frames;
      auto step = co_await reader.next(frames, until);
      seen.text += frames.joined();
      ++steps_taken;
      steps_taken.notify_all();
      if (!step) {
        seen.error = step.error();
        co_return seen;
      }
      seen.steps.push_back(*step);
      seen.state = reader.state();
      if (*step == Step::end || *step == Step::timeout) co_return seen;
    }
  }
  std::future<Seen> start(SteadyTime until = never) {
    net::spawn(worker.io, read(until),
               [this](const std::exception_ptr&, Seen seen) { done.set_value(std::move(seen)); });
    return done.get_future();
  }
};

Pieces frame(const std::string& text) {
  Pieces pieces;
  pieces.own(text);
  return pieces;
}

std::string word(int i) {
  return std::to_string(i) + std::string(static_cast<std::size_t>(i * 7 % 900), 'w') + "\n";
}

}  // namespace

TEST_CASE("readers that come at any time get the same bytes, on any worker") {
  constexpr int frames = 200;
  LoopThread one, two;
  const auto log = std::make_shared<ReplyLog>();
  Room room;
  std::string expected;
  std::vector<std::unique_ptr<Reading>> readings;
  std::vector<std::future<Seen>> seen;
  const auto join = [&] {
    LoopThread& worker = readings.size() % 2 == 0 ? one : two;
    readings.push_back(std::make_unique<Reading>(worker, log));
    seen.push_back(readings.back()->start());
  };
  join();
  log->begin({.status = 200, .stream = true, .fields = "a: b\r\n"});
  for (int i = 0; i < frames; ++i) {
    if (i % 20 == 0) join();
    expected += word(i);
    REQUIRE(log->append(frame(word(i)), room));
  }
  join();
  log->end(ReplyLog::State::done);
  join();
  for (auto& one_seen : seen) {
    const Seen got = one_seen.get();
    CHECK(got.text == expected);
    CHECK(got.state == ReplyLog::State::done);
    CHECK(got.steps.front() == Step::head);
  }
}

TEST_CASE("each word is there before the next is written: nobody waits for the end") {
  LoopThread worker;
  const auto log = std::make_shared<ReplyLog>();
  Room room;
  Reading reading{worker, log, {}, {}};
  auto seen = reading.start();
  log->begin({});
  reading.steps_taken.wait(0);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(log->append(frame(word(i)), room));
    reading.steps_taken.wait(i + 1);
    CHECK(reading.steps_taken == i + 2);
  }
  log->end(ReplyLog::State::failed);
  CHECK(seen.get().state == ReplyLog::State::failed);
}

TEST_CASE("an aborted call, a deadline and a heartbeat's time end the wait; the log goes on") {
  LoopThread worker;
  const auto log = std::make_shared<ReplyLog>();
  Room room;
  Reading left{worker, log, {}, {}};
  Reading late{worker, log, {}, {}};
  Reading beat{worker, log, {}, {}};
  late.call.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  auto of_left = left.start();
  auto of_late = late.start();
  auto of_beat = beat.start(std::chrono::steady_clock::now() + std::chrono::milliseconds(30));
  boost::asio::post(worker.io,
                    [&] { left.call.abort.abort(make_error(ErrorKind::client_gone, "")); });
  CHECK(of_left.get().error->kind == ErrorKind::client_gone);
  CHECK(of_late.get().error->kind == ErrorKind::deadline_exceeded);
  CHECK(of_beat.get().steps == std::vector{Step::timeout});
  CHECK(log->append(frame("more"), room));
  log->end(ReplyLog::State::done);
}

}  // namespace tollgate::app::test
