// BodyBuffer: one request body in one piece, grown as its bytes come and charged to the
// process-wide budget. Used by sessions for bodies that do not fit beside their head. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gateway/core/buffer_budget.hpp"

namespace tollgate::net {

class BodyBuffer {
 public:
  /// `expected`: the body's length, or the most it may have.
  BodyBuffer(BufferBudget& budget, std::uint64_t expected) : share_(budget), expected_(expected) {}

  [[nodiscard]] std::string_view bytes() const { return {data_.get(), size_}; }
  [[nodiscard]] std::uint64_t missing() const { return expected_ - size_; }
  /// Where the next bytes may go; empty: `reserve` first, or complete.
  [[nodiscard]] std::span<char> room() { return {data_.get() + size_, capacity_ - size_}; }
  void commit(std::size_t bytes) { size_ += bytes; }

  /// Makes room for at least `bytes` (at most `missing`) more. False: the process-wide budget is
  /// used up. Not while a read into `room` is pending.
  [[nodiscard]] bool reserve(std::size_t bytes);
  /// Copies `bytes` behind what is there. False: as `reserve`.
  [[nodiscard]] bool append(std::string_view bytes);

 private:
  struct Free {
    void operator()(char* memory) const noexcept;
  };
  BufferShare share_;
  std::uint64_t expected_;
  std::unique_ptr<char[], Free> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace tollgate::net
