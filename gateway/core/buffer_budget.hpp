// BufferBudget: the process-wide limit on bytes held for requests and whole replies, so that many
// large bodies at once end in a 503 and not in the kernel's hands. Shared by all workers; any
// thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace tollgate {

class BufferBudget {
 public:
  explicit BufferBudget(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  /// Takes `bytes` unless that would pass the limit.
  [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
    const std::uint64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= max_bytes_) return true;
    give(bytes);
    return false;
  }
  void give(std::uint64_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t used() const noexcept {
    return used_.load(std::memory_order_relaxed);
  }

 private:
  std::uint64_t max_bytes_;
  std::atomic<std::uint64_t> used_{0};
};

/// What one buffer has taken; gives it back at its end.
class BufferShare {
 public:
  explicit BufferShare(BufferBudget& budget) : budget_(&budget) {}
  BufferShare(const BufferShare&) = delete;
  BufferShare& operator=(const BufferShare&) = delete;
  ~BufferShare() { release(); }

  [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
    if (!budget_->take(bytes)) return false;
    taken_ += bytes;
    return true;
  }
  void release() noexcept { budget_->give(std::exchange(taken_, 0)); }

 private:
  BufferBudget* budget_;
  std::uint64_t taken_ = 0;
};

}  // namespace tollgate
