#include "gateway/net/spare_blocks.hpp"

#include <array>

#include "gateway/core/frame_memory.hpp"

namespace tollgate::net {
namespace {

// Plain data: other thread_local objects may still let go of blocks when `Spare` is gone.
constinit thread_local bool closed = false;

class Spare {
 public:
  Spare() = default;
  ~Spare() { closed = true; }
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  [[nodiscard]] std::unique_ptr<Block> take(std::size_t bytes) {
    if (count_ == 0) return std::make_unique<Block>(bytes);
    std::unique_ptr<Block> block = std::move(blocks_[--count_]);
    block->reset();
    return block;
  }
  void give(std::unique_ptr<Block> block) noexcept {
    if (count_ < blocks_.size()) blocks_[count_++] = std::move(block);
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::array<std::unique_ptr<Block>, spare_blocks_max> blocks_;
  std::size_t count_ = 0;
};

Spare& spare() {
  static thread_local Spare blocks;
  return blocks;
}

struct Return {
  void operator()(Block* block) const noexcept {
    std::unique_ptr<Block> mine(block);
    // A sanitizer sees only what comes from the heap.
    if (FrameMemory::keeps && !closed) spare().give(std::move(mine));
  }
};

}  // namespace

std::shared_ptr<Block> take_block(std::size_t bytes) {
  return {spare().take(bytes).release(), Return(), PerCallAllocator<Block>()};
}

std::size_t spare_blocks() { return spare().count(); }

}  // namespace tollgate::net
