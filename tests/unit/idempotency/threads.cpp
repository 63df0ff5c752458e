// Many threads at one table: one call runs for each key, and whoever reads sees all of its bytes in
// order, whenever it came.
#include <atomic>
#include <condition_variable>
#include <doctest/doctest.h>
#include <thread>

#include "policies/idempotency/table.hpp"

namespace tollgate::policies {
namespace {

using State = ReplyLog::State;

/// A reader that blocks its thread until it is woken.
struct Sleeper final : ReplyLog::Waiter {
  std::mutex mutex;
  std::condition_variable woken;
  bool awake = false;
  void wake() noexcept override {
    const std::scoped_lock lock(mutex);
    awake = true;
    woken.notify_one();
  }
  void sleep() {
    std::unique_lock lock(mutex);
    woken.wait(lock, [&] { return awake; });
    awake = false;
  }
};

std::string read_all(ReplyLog& log, State& state) {
  const auto sleeper = std::make_shared<Sleeper>();
  std::string text;
  for (;;) {
    Pieces pieces;
    state = log.read(text.size(), pieces);
    text += pieces.joined();
    if (state != State::running) return text;
    if (log.wait(text.size(), log.head() != nullptr, sleeper)) sleeper->sleep();
  }
}

std::string frame(int i) {
  return "frame " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), '.');
}

void write_all(IdempotencyTable::Lead& lead, int count) {
  lead.begin({.status = 200, .stream = true, .fields = {}});
  for (int i = 0; i < count; ++i) {
    Pieces pieces;
    pieces.own(frame(i));
    pieces.own("\n");
    lead.append(pieces);
  }
}

}  // namespace

TEST_CASE("one leader for each key, and every reader sees the whole reply") {
  const Clock clock;
  IdempotencyTable table(clock);
  constexpr int threads = 4, keys = 40, frames = 60;
  std::string expected;
  for (int i = 0; i < frames; ++i)
    expected += frame(i) + "\n";
  std::atomic<int> led = 0, wrong = 0;
  const auto work = [&] {
    for (int k = 0; k < keys; ++k) {
      auto entrance =
          table.enter({.tenant = "t", .endpoint = "e", .key = std::to_string(k), .body = "b"});
      if (!entrance) {
        ++wrong;
      } else if (entrance->lead) {
        ++led;
        write_all(*entrance->lead, frames);
        entrance->lead->end(State::done);
      } else {
        State state = State::running;
        if (read_all(*entrance->log, state) != expected || state != State::done) ++wrong;
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i)
    workers.emplace_back(work);
  for (std::thread& worker : workers)
    worker.join();
  CHECK(led == keys);
  CHECK(wrong == 0);
  CHECK(table.stats().running == 0);
}

TEST_CASE("leaders that fail pass the key on until one does not") {
  const Clock clock;
  IdempotencyTable table(clock);
  constexpr int threads = 4;
  std::atomic<int> failures = 0, done = 0, replies = 0;
  const auto work = [&] {
    for (;;) {
      auto entrance = table.enter({.tenant = "t", .endpoint = "e", .key = "k", .body = "b"});
      if (!entrance) return;
      if (entrance->lead) {
        const bool fails = failures < threads - 1;
        if (fails) ++failures;
        write_all(*entrance->lead, 5);
        entrance->lead->end(fails ? State::failed : State::done);
        if (!fails) ++done;
        if (!fails) return;
        continue;
      }
      State state = State::running;
      (void)read_all(*entrance->log, state);
      if (state == State::done) {
        ++replies;
        return;
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i)
    workers.emplace_back(work);
  for (std::thread& worker : workers)
    worker.join();
  CHECK(done == 1);
  CHECK(replies == threads - 1);
  CHECK(failures == threads - 1);
}

}  // namespace tollgate::policies
