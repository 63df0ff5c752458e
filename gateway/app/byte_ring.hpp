// ByteRing: lines on their way from one thread to another, as bytes in a bounded ring. One thread
// pushes, one other reads; neither waits. The access log has one for each worker.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>

namespace tollgate::app {

class ByteRing {
 public:
  /// `capacity`: a power of two. The memory is taken from the system as it is first written.
  explicit ByteRing(std::size_t capacity);

  /// Appends all of the text, or nothing (false) where it does not fit. The pushing thread only.
  bool push(std::string_view text) noexcept;

  /// What waits, in order: up to the ring's end, then from its start. The reading thread only, as
  /// is `consume`, which frees that many bytes at the front.
  [[nodiscard]] std::array<std::string_view, 2> readable() const noexcept;
  void consume(std::size_t bytes) noexcept;

  /// Bytes that wait; either thread.
  [[nodiscard]] std::size_t fill() const noexcept;
  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }

 private:
  const std::size_t mask_;
  const std::unique_ptr<char[]> bytes_;
  // Both count on for ever; each has a cache line of its own, since another core writes it.
  alignas(64) std::atomic<std::size_t> pushed_{0};
  alignas(64) std::atomic<std::size_t> consumed_{0};
};

}  // namespace tollgate::app
