#include "gateway/core/small_heap.hpp"

#include <cstdlib>

namespace tollgate {

struct SmallHeap::AtExit {
  ~AtExit() {
    clear();
    for (List& list : lists)
      list.room = 0;  // other thread_local objects may still free theirs
  }
};

bool SmallHeap::open() noexcept {
  if (opened) return false;
  opened = true;
  static thread_local const AtExit emptied_at_exit;
  static_cast<void>(&emptied_at_exit);
  for (std::size_t at = 0; at < classes; ++at)
    lists[at].room = most(at);
  return true;
}

void SmallHeap::clear() noexcept {
  for (List& list : lists) {
    while (list.first != nullptr) {
      Free* const block = list.first;
      list.first = block->next;
      ++list.room;
      std::free(block);
    }
  }
}

}  // namespace tollgate
