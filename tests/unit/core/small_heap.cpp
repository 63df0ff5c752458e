#include "gateway/core/small_heap.hpp"

#include <cstdlib>
#include <doctest/doctest.h>

namespace tollgate {

TEST_CASE("small heap: a size's class has room for it, and as little more as there is") {
  for (std::size_t bytes = 1; bytes <= SmallHeap::largest; ++bytes) {
    const std::size_t at = SmallHeap::class_of(bytes);
    REQUIRE(at < SmallHeap::classes);
    CHECK(SmallHeap::size_of(at) >= bytes);
    CHECK((at == 0 || SmallHeap::size_of(at - 1) < bytes));
  }
}

TEST_CASE("small heap: what was freed is given out again, and no more is kept than it may be") {
  const std::size_t at = SmallHeap::class_of(1000), size = SmallHeap::size_of(at);
  SmallHeap::clear();
  CHECK(SmallHeap::take(at) == nullptr);
  void* const block = std::malloc(size);
  REQUIRE(SmallHeap::give(block, at));
  CHECK(SmallHeap::kept(at) == 1);
  CHECK(SmallHeap::take(at) == block);
  CHECK(SmallHeap::take(at) == nullptr);
  std::free(block);

  void* more = std::malloc(size);
  while (SmallHeap::give(more, at))
    more = std::malloc(size);
  std::free(more);
  CHECK(SmallHeap::kept(at) == SmallHeap::class_bytes_max / size);
  SmallHeap::clear();
  CHECK(SmallHeap::kept(at) == 0);
}

}  // namespace tollgate
