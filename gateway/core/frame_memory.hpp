// FrameMemory: where coroutine frames live, and the objects of a call. A call makes dozens of
// short-lived ones of a few sizes, so each thread keeps a bounded number of freed ones per size
// class and gives them out again; what is larger, or too many, goes to the heap. A frame belongs to
// the thread that runs it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TOLLGATE_PLAIN_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define TOLLGATE_PLAIN_FRAMES 1  // a sanitizer sees only what comes from the heap
#endif
#endif

namespace tollgate {

class FrameMemory {
 public:
  static constexpr std::size_t step = 64, largest = 4096;
  /// The most that one class keeps.
  static constexpr std::size_t class_bytes_max = 64 * 1024;
#ifdef TOLLGATE_PLAIN_FRAMES
  static constexpr bool keeps = false;
#else
  static constexpr bool keeps = true;
#endif

  static void* take(std::size_t bytes) {
    if constexpr (keeps) {
      const std::size_t at = class_of(bytes);
      if (at < classes) {
        List& list = lists[at];
        if (list.first == nullptr) return ::operator new((at + 1) * step);
        Free* const frame = list.first;
        list.first = frame->next;
        --list.count;
        return frame;
      }
    }
    return ::operator new(bytes);
  }

  static void give(void* frame, std::size_t bytes) noexcept {
    if constexpr (keeps) {
      const std::size_t at = class_of(bytes);
      if (at < classes && lists[at].count < class_bytes_max / ((at + 1) * step)) {
        if (lists[at].first == nullptr) static_cast<void>(&emptied_at_exit);
        if (!closed) {
          lists[at].first = ::new (frame) Free{lists[at].first};
          ++lists[at].count;
          return;
        }
      }
    }
    ::operator delete(frame);
  }

  /// How many freed frames for `bytes` this thread keeps.
  [[nodiscard]] static std::size_t kept(std::size_t bytes) {
    const std::size_t at = class_of(bytes);
    return at < classes ? lists[at].count : 0;
  }
  /// Gives everything kept back to the heap.
  static void clear() noexcept {
    for (List& list : lists) {
      while (list.first != nullptr) {
        Free* const frame = list.first;
        list.first = frame->next;
        ::operator delete(frame);
      }
      list.count = 0;
    }
  }

 private:
  static constexpr std::size_t classes = largest / step;
  struct Free {
    Free* next;
  };
  struct List {
    Free* first;
    std::size_t count;
  };
  struct AtExit {
    ~AtExit() {
      closed = true;  // other thread_local objects may still end coroutines
      clear();
    }
  };
  static std::size_t class_of(std::size_t bytes) { return (bytes - 1) / step; }

  // Plain data: reading them costs no check whether they were made yet.
  static constinit inline thread_local std::array<List, classes> lists{};
  static constinit inline thread_local bool closed = false;
  static inline thread_local AtExit emptied_at_exit;
};

/// Base of what is made anew for each call: it takes its memory where the frames take theirs.
struct PerCall {
  static void* operator new(std::size_t bytes) { return FrameMemory::take(bytes); }
  static void operator delete(void* object, std::size_t bytes) noexcept {
    FrameMemory::give(object, bytes);
  }
};

/// The same for std::allocate_shared.
template <class T>
struct PerCallAllocator {
  using value_type = T;
  PerCallAllocator() = default;
  template <class Other>
  explicit PerCallAllocator(const PerCallAllocator<Other>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(FrameMemory::take(count * sizeof(T))); }
  void deallocate(T* objects, std::size_t count) noexcept {
    FrameMemory::give(objects, count * sizeof(T));
  }
  bool operator==(const PerCallAllocator&) const = default;
};

}  // namespace tollgate
