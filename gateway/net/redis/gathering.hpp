// Gathering: those who wait for one operation that several callers need at once (a connect, a map
// being fetched): one does it, all go on together. The loop's thread.
#pragma once
#include <utility>
#include <vector>

#include "gateway/core/front.hpp"
#include "gateway/core/signal.hpp"

namespace tollgate::net {

class Gathering {
 public:
  /// Waits for the next `release`.
  Awaitable<void> wait() {
    Signal signal;
    waiting_.push_back(&signal);
    co_await signal.wait();
  }
  /// Resumes all who wait now; who comes back waits for the next one.
  void release() {
    for (Signal* const signal : std::exchange(waiting_, {}))
      signal->notify();
  }

 private:
  std::vector<Signal*> waiting_;
};

}  // namespace tollgate::net
