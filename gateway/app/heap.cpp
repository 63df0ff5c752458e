// The program's operator new and delete: small blocks come from what the thread has freed before
// (core/small_heap.hpp). Linked into the program only; a sanitizer brings its own.
#include <cstdlib>
#include <malloc.h>
#include <new>

#include "gateway/core/frame_memory.hpp"
#include "gateway/core/small_heap.hpp"

#ifndef TOLLGATE_PLAIN_FRAMES
namespace {

using tollgate::SmallHeap;

[[gnu::noinline]] void* from_malloc(std::size_t bytes) {
  for (;;) {
    if (void* const block = std::malloc(bytes > 0 ? bytes : 1)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

}  // namespace

void* operator new(std::size_t bytes) {
  if (bytes > SmallHeap::largest) return from_malloc(bytes);
  const std::size_t at = SmallHeap::class_of(bytes);
  void* const kept = SmallHeap::take(at);
  return kept != nullptr ? kept : from_malloc(SmallHeap::size_of(at));
}

void operator delete(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return;
  const bool small = bytes <= SmallHeap::largest;
  if (!small || !SmallHeap::give(block, SmallHeap::class_of(bytes))) std::free(block);
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  const std::size_t usable = ::malloc_usable_size(block);
  const bool small = usable >= SmallHeap::smallest && usable <= SmallHeap::largest;
  // Rounded down: the block must hold what its size says.
  if (!small || !SmallHeap::give(block, (usable - SmallHeap::smallest) / SmallHeap::step)) {
    std::free(block);
  }
}
#endif
