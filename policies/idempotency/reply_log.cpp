#include "policies/idempotency/reply_log.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tollgate::policies {
namespace {

constexpr std::size_t block_bytes_min = 1024;
constexpr std::size_t block_bytes_max = 64 * 1024;

}  // namespace

void ReplyLog::begin(KeptHead head) {
  std::unique_lock lock(mutex_);
  if (head_) return;
  head_.emplace(std::move(head));
  wake_all(std::move(lock));
}

/// Only the writer changes blocks, so it may look at them without the lock.
bool ReplyLog::make_room(std::size_t bytes, LogRoom& room) {
  const std::size_t left = blocks_.empty() ? 0 : blocks_.back().capacity - blocks_.back().used;
  if (left >= bytes) return true;
  // Doubling keeps the unused part of a long stream's memory small and its blocks few.
  const std::size_t usual =
      blocks_.empty() ? 0 : std::min(block_bytes_max, 2 * blocks_.back().capacity);
  const bool first_whole = blocks_.empty() && bytes > block_bytes_min;
  const std::size_t more = first_whole ? bytes : std::max({bytes - left, usual, block_bytes_min});
  if (!room.take(more)) return false;
  Block fresh{.bytes = std::make_unique_for_overwrite<char[]>(more), .used = 0, .capacity = more};
  const std::scoped_lock lock(mutex_);
  blocks_.push_back(std::move(fresh));
  return true;
}

/// Into the last block, and the one before it as far as that has room.
void ReplyLog::copy(std::string_view bytes) {
  for (std::size_t i = blocks_.size() > 1 ? blocks_.size() - 2 : 0; i < blocks_.size(); ++i) {
    Block& block = blocks_[i];
    const std::size_t part = std::min(bytes.size(), block.capacity - block.used);
    if (part == 0) continue;
    std::memcpy(block.bytes.get() + block.used, bytes.data(), part);
    block.used += part;
    bytes.remove_prefix(part);
  }
}

bool ReplyLog::append(const Pieces& frames, LogRoom& room) {
  if (state_ != State::running) return false;
  if (frames.empty()) return true;
  if (!make_room(frames.size(), room)) {
    end(State::lost);
    return false;
  }
  std::unique_lock lock(mutex_);
  for (std::string_view part : frames.parts())
    copy(part);
  bytes_ += frames.size();
  wake_all(std::move(lock));
  return true;
}

void ReplyLog::end(State state, std::optional<Error> error) {
  std::unique_lock lock(mutex_);
  if (state_ != State::running) return;
  state_ = state;
  error_ = std::move(error);
  wake_all(std::move(lock));
}

void ReplyLog::wake_all(std::unique_lock<std::mutex> lock) {
  if (waiting_.empty()) return;
  const auto woken = std::exchange(waiting_, {});
  lock.unlock();
  for (const auto& waiter : woken)
    waiter->wake();
}

ReplyLog::State ReplyLog::read(std::uint64_t from, Pieces& out) const {
  const std::scoped_lock lock(mutex_);
  for (const Block& block : blocks_) {
    if (from < block.used) {
      out.view({block.bytes.get() + from, static_cast<std::size_t>(block.used - from)});
      from = 0;
    } else {
      from -= block.used;
    }
  }
  return state_;
}

const KeptHead* ReplyLog::head() const {
  const std::scoped_lock lock(mutex_);
  return head_ ? &*head_ : nullptr;
}

bool ReplyLog::wait(std::uint64_t from, bool head, std::shared_ptr<Waiter> waiter) {
  const std::scoped_lock lock(mutex_);
  if (bytes_ > from || (head_ && !head) || state_ != State::running) return false;
  waiting_.push_back(std::move(waiter));
  return true;
}

void ReplyLog::forget(const Waiter* waiter) noexcept {
  const std::scoped_lock lock(mutex_);
  std::erase_if(waiting_, [&](const auto& other) { return other.get() == waiter; });
}

}  // namespace tollgate::policies
