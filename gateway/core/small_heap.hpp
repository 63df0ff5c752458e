// SmallHeap: what the program's operator new and delete (app/heap.cpp) keep of freed small blocks.
// A call makes some fifty strings and vectors; malloc and free are a tenth of what it costs. Each
// thread keeps a bounded number of blocks per size and gives them out again. A block comes from
// malloc and may end on any thread. Under a sanitizer, and in tests, nothing is kept.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace tollgate {

class SmallHeap {
 public:
  /// Sizes as malloc's own blocks have them: what it says of a block's size is a size of ours.
  static constexpr std::size_t smallest = 24, step = 16, classes = 64;
  static constexpr std::size_t largest = smallest + step * (classes - 1);
  /// The most that one size keeps.
  static constexpr std::size_t class_bytes_max = 16 * 1024;

  static constexpr std::size_t class_of(std::size_t bytes) {
    return bytes <= smallest ? 0 : (bytes - smallest + step - 1) / step;
  }
  static constexpr std::size_t size_of(std::size_t at) { return smallest + step * at; }

  /// A kept block of that class, or nullptr.
  static void* take(std::size_t at) noexcept {
    List& list = lists[at];
    Free* const block = list.first;
    if (block == nullptr) return nullptr;
    list.first = block->next;
    ++list.room;
    return block;
  }

  /// False: it is not kept, and to be freed. `block` has `size_of(at)` bytes or more.
  static bool give(void* block, std::size_t at) noexcept {
    List& list = lists[at];
    if (list.room == 0 && !open()) return false;
    list.first = ::new (block) Free{list.first};
    --list.room;
    return true;
  }

  /// How many blocks of that class this thread keeps.
  [[nodiscard]] static std::size_t kept(std::size_t at) {
    return opened ? most(at) - lists[at].room : 0;
  }

  /// Frees everything that this thread keeps.
  static void clear() noexcept;

 private:
  struct Free {
    Free* next;
  };
  struct List {
    Free* first;
    std::size_t room;  // for so many more; 0 in all of them before the first and after the end
  };
  struct AtExit;
  static constexpr std::size_t most(std::size_t at) { return class_bytes_max / size_of(at); }
  /// Makes room, once a thread. False: there is none any more.
  static bool open() noexcept;

  static constinit inline thread_local std::array<List, classes> lists{};
  static constinit inline thread_local bool opened = false;
};

}  // namespace tollgate
