#include "gateway/app/byte_ring.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace tollgate::app {

ByteRing::ByteRing(std::size_t capacity)
    : mask_(capacity - 1), bytes_(std::make_unique_for_overwrite<char[]>(capacity)) {
  assert(std::has_single_bit(capacity));
}

bool ByteRing::push(std::string_view text) noexcept {
  const std::size_t pushed = pushed_.load(std::memory_order_relaxed);
  const std::size_t waiting = pushed - consumed_.load(std::memory_order_acquire);
  if (text.size() > capacity() - waiting) return false;
  const std::size_t at = pushed & mask_;
  const std::size_t first = std::min(text.size(), capacity() - at);
  std::memcpy(bytes_.get() + at, text.data(), first);
  std::memcpy(bytes_.get(), text.data() + first, text.size() - first);
  // Sequentially consistent, not only released: who pushes looks next whether the reader sleeps,
  // and the reader says that it sleeps before it looks here. One of them must see the other.
  pushed_.store(pushed + text.size(), std::memory_order_seq_cst);
  return true;
}

std::array<std::string_view, 2> ByteRing::readable() const noexcept {
  const std::size_t consumed = consumed_.load(std::memory_order_relaxed);
  const std::size_t waiting = pushed_.load(std::memory_order_acquire) - consumed;
  const std::size_t at = consumed & mask_;
  const std::size_t first = std::min(waiting, capacity() - at);
  return {std::string_view(bytes_.get() + at, first),
          std::string_view(bytes_.get(), waiting - first)};
}

void ByteRing::consume(std::size_t bytes) noexcept {
  consumed_.store(consumed_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
}

std::size_t ByteRing::fill() const noexcept {
  const std::size_t consumed = consumed_.load(std::memory_order_relaxed);
  return pushed_.load(std::memory_order_seq_cst) - consumed;
}

}  // namespace tollgate::app
