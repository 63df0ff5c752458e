#include "routing/count_window.hpp"

#include <algorithm>

namespace tollgate::routing {
namespace {

// A cell: 24 bits of the slice's number, 20 of its calls, 20 of the marked.
constexpr unsigned count_bits = 20;
constexpr std::uint64_t count_max = (1ULL << count_bits) - 1;
constexpr std::uint64_t number_mask = (1ULL << 24U) - 1;

std::uint64_t number_of(std::uint64_t cell) { return cell >> (2 * count_bits); }
std::uint64_t calls_of(std::uint64_t cell) { return (cell >> count_bits) & count_max; }
std::uint64_t marked_of(std::uint64_t cell) { return cell & count_max; }

}  // namespace

void CountWindow::set_length(std::chrono::milliseconds length) noexcept {
  const auto slice = std::chrono::nanoseconds(length).count() / static_cast<long>(slices);
  slice_length_.store(std::max<SteadyTime::rep>(slice, 1), std::memory_order_relaxed);
}

std::uint64_t CountWindow::slice_at(SteadyTime now) const noexcept {
  const auto length = slice_length_.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(now.time_since_epoch().count() / length);
}

void CountWindow::count(std::uint32_t calls, std::uint32_t marked, SteadyTime now) noexcept {
  const std::uint64_t slice = slice_at(now);
  auto& cell = cells_[slice % slices];
  std::uint64_t old = cell.load(std::memory_order_relaxed), next = 0;
  do {
    const bool current = number_of(old) == (slice & number_mask);
    next = current ? old : (slice & number_mask) << (2 * count_bits);
    // A share of a million calls is exact enough.
    if (calls_of(next) + calls > count_max || marked_of(next) + marked > count_max) return;
    next += (std::uint64_t{calls} << count_bits) + marked;
  } while (!cell.compare_exchange_weak(old, next, std::memory_order_relaxed));
}

CountWindow::Sum CountWindow::sum(SteadyTime now) const noexcept {
  const std::uint64_t slice = slice_at(now);
  Sum sum;
  for (const auto& cell : cells_) {
    const std::uint64_t value = cell.load(std::memory_order_relaxed);
    const std::uint64_t age = ((slice & number_mask) - number_of(value)) & number_mask;
    if (age >= slices) continue;
    sum.calls += calls_of(value);
    sum.marked += marked_of(value);
    if (age == 0) sum.marked_now = marked_of(value);
  }
  return sum;
}

void CountWindow::clear() noexcept {
  for (auto& cell : cells_)
    cell.store(0, std::memory_order_relaxed);
}

}  // namespace tollgate::routing
