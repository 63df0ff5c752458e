#include "gateway/net/memory_return.hpp"

#include <algorithm>
#include <malloc.h>

#include "gateway/core/frame_memory.hpp"
#include "gateway/core/small_heap.hpp"

namespace tollgate::net {
namespace {

constexpr std::size_t crowd_min = 256;               // less is not worth the search
constexpr std::chrono::milliseconds settling{2000};  // the others of a crowd follow soon

}  // namespace

void MemoryReturn::note(std::size_t open) {
  open_ = open;
  crowd_ = std::max(crowd_, open);
  if (crowd_ >= crowd_min && open < crowd_ / 2 && at() == never) settle();
}

void MemoryReturn::settle() {
  open_before_ = open_;
  arm(coarse_now() + settling);
}

void MemoryReturn::expired() {
  FrameMemory::clear();
  SmallHeap::clear();
  ::malloc_trim(0);
  if (open_ < open_before_) return settle();  // they still leave
  crowd_ = open_;
}

}  // namespace tollgate::net
