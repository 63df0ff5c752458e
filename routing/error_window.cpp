#include "routing/error_window.hpp"

#include <algorithm>

namespace tollgate::routing {
namespace {

// A cell: 24 bits of the slice's number, 20 of its calls, 20 of its failures.
constexpr unsigned count_bits = 20;
constexpr std::uint64_t count_max = (1ULL << count_bits) - 1;
constexpr std::uint64_t number_mask = (1ULL << 24U) - 1;

std::uint64_t number_of(std::uint64_t cell) { return cell >> (2 * count_bits); }
std::uint64_t calls_of(std::uint64_t cell) { return (cell >> count_bits) & count_max; }
std::uint64_t failures_of(std::uint64_t cell) { return cell & count_max; }

}  // namespace

void ErrorWindow::set_length(std::chrono::milliseconds length) noexcept {
  const auto slice = std::chrono::nanoseconds(length).count() / static_cast<long>(slices);
  slice_length_.store(std::max<SteadyTime::rep>(slice, 1), std::memory_order_relaxed);
}

std::uint64_t ErrorWindow::slice_at(SteadyTime now) const noexcept {
  const auto length = slice_length_.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(now.time_since_epoch().count() / length);
}

void ErrorWindow::count(bool failed, SteadyTime now) noexcept {
  const std::uint64_t slice = slice_at(now);
  auto& cell = cells_[slice % slices];
  std::uint64_t old = cell.load(std::memory_order_relaxed), next = 0;
  do {
    const bool current = number_of(old) == (slice & number_mask);
    next = current ? old : (slice & number_mask) << (2 * count_bits);
    if (calls_of(next) == count_max) return;  // a share of a million calls is exact enough
    next += (1ULL << count_bits) + (failed ? 1 : 0);
  } while (!cell.compare_exchange_weak(old, next, std::memory_order_relaxed));
}

ErrorWindow::Sum ErrorWindow::sum(SteadyTime now) const noexcept {
  const std::uint64_t slice = slice_at(now);
  Sum sum;
  for (const auto& cell : cells_) {
    const std::uint64_t value = cell.load(std::memory_order_relaxed);
    const std::uint64_t age = ((slice & number_mask) - number_of(value)) & number_mask;
    if (age >= slices) continue;
    sum.calls += calls_of(value);
    sum.failures += failures_of(value);
  }
  return sum;
}

void ErrorWindow::clear() noexcept {
  for (auto& cell : cells_)
    cell.store(0, std::memory_order_relaxed);
}

}  // namespace tollgate::routing
