#include "gateway/core/task.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tollgate {
namespace {

/// A place to wait at, as sockets and signals are.
class Gate {
 public:
  auto pass() {
    struct Wait {
      Gate& gate;
      bool waiting = false;
      ~Wait() {
        if (waiting) gate.waiter_.forget();
      }
      static bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<TaskPromise<int>> at) {
        gate.waiter_ = Suspended(at);
        waiting = true;
      }
      void await_resume() noexcept { waiting = false; }
    };
    return Wait{*this};
  }
  [[nodiscard]] bool waited_for() const { return static_cast<bool>(waiter_); }
  void open() { std::exchange(waiter_, {}).resume(); }
  void drop() { waiter_ = {}; }

 private:
  Suspended waiter_;
};

Task<int> one(int value) { co_return value; }
Task<std::unique_ptr<std::string>> text(std::string value) {
  co_return std::make_unique<std::string>(std::move(value));
}
Task<void> fails() {
  throw std::runtime_error("wanted by the test");
  co_return;
}
Task<int> behind(Gate& gate, std::shared_ptr<int> held) {
  co_await gate.pass();
  co_return *held;
}
Task<int> deep(Gate& gate, std::shared_ptr<int> held, int depth) {
  if (depth == 0) co_return co_await behind(gate, held);
  co_return co_await deep(gate, held, depth - 1) + 1;
}

/// Where the stack stands, roughly.
[[gnu::noinline]] std::uintptr_t stack_now() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}
Task<std::uintptr_t> stack_inside() { co_return stack_now(); }

}  // namespace

TEST_CASE("a task brings its value, once awaited and not before") {
  bool begun = false;
  auto body = [&begun]() -> Task<int> {
    begun = true;
    co_return co_await one(40) + 2;
  };
  auto task = body();
  CHECK_FALSE(begun);
  int got = 0;
  start(std::move(task), [&got](const std::exception_ptr& thrown, int value) {
    CHECK_FALSE(thrown);
    got = value;
  });
  CHECK(got == 42);
  std::string words;
  start(text("moved"),
        [&](const std::exception_ptr&, std::unique_ptr<std::string> value) { words = *value; });
  CHECK(words == "moved");
}

TEST_CASE("an exception reaches the awaiter, and the completion of the root") {
  bool caught = false;
  auto body = [&caught]() -> Task<void> {
    try {
      co_await fails();
    } catch (const std::runtime_error& error) {
      caught = std::string(error.what()) == "wanted by the test";
    }
    co_await fails();
  };
  std::exception_ptr thrown;
  start(body(), [&thrown](const std::exception_ptr& failed) { thrown = failed; });
  CHECK(caught);
  CHECK(thrown);
}

TEST_CASE("a chain goes on where it waited") {
  Gate gate;
  const auto held = std::make_shared<int>(7);
  int got = 0;
  start(deep(gate, held, 50), [&got](const std::exception_ptr&, int value) { got = value; });
  CHECK(gate.waited_for());
  CHECK(held.use_count() > 50);
  gate.open();
  CHECK(got == 57);
  CHECK(held.use_count() == 1);
}

TEST_CASE("a chain whose wait is dropped is destroyed whole, once, without a completion") {
  const auto held = std::make_shared<int>(7);
  bool completed = false;
  const auto done = [&completed, held](const std::exception_ptr&, int) { completed = true; };
  Gate gate;
  start(deep(gate, held, 3), done);
  gate.drop();
  CHECK_FALSE(completed);
  CHECK(held.use_count() == 2);  // ours, and that in `done` here
  {
    Gate dies;
    start(deep(dies, held, 3), done);
    CHECK(held.use_count() > 3);
  }
  CHECK(held.use_count() == 2);
  {
    const auto never_awaited = behind(gate, held);
    CHECK(held.use_count() == 3);
  }
  CHECK(held.use_count() == 2);
}

TEST_CASE("a million awaits in a row leave the stack where it was") {
  std::uintptr_t lowest = UINTPTR_MAX;
  std::uintptr_t highest = 0;
  auto body = [&]() -> Task<void> {
    for (int i = 0; i < 1'000'000; ++i) {
      const std::uintptr_t here = co_await stack_inside();
      lowest = std::min(lowest, here);
      highest = std::max(highest, here);
    }
  };
  start(body(), [](const std::exception_ptr& thrown) { CHECK_FALSE(thrown); });
  CHECK(highest - lowest < 4096);
}

TEST_CASE("freed frames are used again, up to the bound") {
  if (!FrameMemory::keeps) return;
  FrameMemory::clear();
  constexpr std::size_t bytes = 1000;
  constexpr std::size_t most = FrameMemory::class_bytes_max / 1024;
  void* const first = FrameMemory::take(bytes);
  FrameMemory::give(first, bytes);
  CHECK(FrameMemory::take(bytes - 20) == first);  // of the same class
  FrameMemory::give(first, bytes - 20);
  std::vector<void*> many;
  for (std::size_t i = 0; i < 3 * most; ++i)
    many.push_back(FrameMemory::take(bytes));
  CHECK(FrameMemory::kept(bytes) == 0);
  for (void* frame : many)
    FrameMemory::give(frame, bytes);
  CHECK(FrameMemory::kept(bytes) == most);
  void* const huge = FrameMemory::take(FrameMemory::largest + 1);
  FrameMemory::give(huge, FrameMemory::largest + 1);
  CHECK(FrameMemory::kept(FrameMemory::largest + 1) == 0);
  FrameMemory::clear();
  CHECK(FrameMemory::kept(bytes) == 0);
}

TEST_CASE("a thread that ends takes what it kept with it") {
  std::thread([] {
    int got = 0;
    start(one(3), [&got](const std::exception_ptr&, int value) { got = value; });
    CHECK(got == 3);
  }).join();  // a leak checker sees the rest
}

}  // namespace tollgate
