// CountWindow: how many calls of the last seconds there were, and how many of another kind beside
// them: failures, or repeats. A ring of ten cells, each a time slice with both counts packed into
// one word, so that counting is one compare-and-swap and old slices need no sweeper. Shared by all
// workers without a lock.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "gateway/core/clock.hpp"

namespace tollgate::routing {

class CountWindow {
 public:
  struct Sum {
    std::uint64_t calls = 0, marked = 0;
    std::uint64_t marked_now = 0;  ///< of the slice that runs
  };

  /// Ten seconds, until it is set.
  void set_length(std::chrono::milliseconds length) noexcept;
  void count(std::uint32_t calls, std::uint32_t marked, SteadyTime now) noexcept;
  [[nodiscard]] Sum sum(SteadyTime now) const noexcept;
  void clear() noexcept;

 private:
  static constexpr std::size_t slices = 10;

  [[nodiscard]] std::uint64_t slice_at(SteadyTime now) const noexcept;

  std::atomic<SteadyTime::rep> slice_length_{
      std::chrono::nanoseconds(std::chrono::seconds(1)).count()};
  std::array<std::atomic<std::uint64_t>, slices> cells_{};
};

}  // namespace tollgate::routing
