#include "gateway/core/small_heap.hpp"

#include <cstdlib>

namespace tollgate {

struct SmallHeap::AtExit {
  ~AtExit() {
    state = State::closed;  // other thread_local objects may still free theirs
    clear();
  }
};

void SmallHeap::open() noexcept {
  static thread_local const AtExit emptied_at_exit;
  static_cast<void>(&emptied_at_exit);
  state = State::open;
}

void SmallHeap::clear() noexcept {
  for (List& list : lists) {
    while (list.first != nullptr) {
      Free* const block = list.first;
      list.first = block->next;
      std::free(block);  // NOLINT: it came from malloc
    }
    list.count = 0;
  }
}

}  // namespace tollgate
