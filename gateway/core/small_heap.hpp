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
    --list.count;
    return block;
  }

  /// False: it is not kept, and to be freed. `block` has `size_of(at)` bytes or more.
  static bool give(void* block, std::size_t at) noexcept {
    List& list = lists[at];
    if (list.count >= class_bytes_max / size_of(at) || state == State::closed) return false;
    if (state == State::fresh) open();
    list.first = ::new (block) Free{list.first};
    ++list.count;
    return true;
  }

  /// How many blocks of that class this thread keeps.
  [[nodiscard]] static std::size_t kept(std::size_t at) { return lists[at].count; }

  /// Frees everything that this thread keeps.
  static void clear() noexcept;

 private:
  struct Free {
    Free* next;
  };
  struct List {
    Free* first;
    std::size_t count;
  };
  enum class State : std::uint8_t { fresh, open, closed };
  struct AtExit;
  static void open() noexcept;  // once a thread

  static constinit inline thread_local std::array<List, classes> lists{};
  static constinit inline thread_local State state = State::fresh;
};

}  // namespace tollgate
