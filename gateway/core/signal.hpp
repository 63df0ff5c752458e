// Signal: how one coroutine waits for another of the same worker. One waiter at a time. `notify`
// resumes it at once, inside the call; what must not be re-entered posts instead.
#pragma once
#include <utility>

#include "gateway/core/task.hpp"

namespace tollgate {

class Signal {
 public:
  /// Waits for the next `notify`; one that came before the wait is not seen.
  auto wait() { return Wait(*this); }
  void notify() {
    if (waiter_) std::exchange(waiter_, {}).resume();
  }

 private:
  class Wait {
   public:
    explicit Wait(Signal& signal) : signal_(signal) {}
    ~Wait() {
      if (waiting_) signal_.waiter_.forget();  // its frame is being destroyed
    }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

    static bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiting) {
      signal_.waiter_ = Suspended(waiting);
      waiting_ = true;
    }
    void await_resume() noexcept { waiting_ = false; }

   private:
    Signal& signal_;
    bool waiting_ = false;
  };
  Suspended waiter_;
};

}  // namespace tollgate
