// Cells: where one worker counts. Only that worker writes a cell, so counting is a load and a store
// and no lock; at a scrape the control thread hands what has come since to prometheus-cpp's
// counters and histograms, which lock. Owned by Metrics, kept as long as it.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <span>
#include <vector>

namespace tollgate::app {

/// Adds to what only the calling thread writes; others may read it meanwhile.
template <class Number>
void add_alone(std::atomic<Number>& total, Number more) noexcept {
  total.store(total.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

// Cells of different workers never share a cache line.
class alignas(64) CounterCell {
 public:
  /// `unit`: what 1 here is there (1e-9 for nano-dollars that are shown as dollars).
  explicit CounterCell(prometheus::Counter& target, double unit = 1)
      : target_(target), unit_(unit) {}

  /// The worker's thread.
  void add(std::uint64_t more = 1) noexcept { add_alone(total_, more); }
  /// The control thread.
  void fold();

 private:
  std::atomic<std::uint64_t> total_{0};
  std::uint64_t folded_ = 0;
  prometheus::Counter& target_;
  double unit_;
};

class alignas(64) HistogramCell {
 public:
  using Bounds = std::span<const double>;
  /// The longest table of bounds that there may be, and one more for what is beyond.
  static constexpr std::size_t buckets_max = 20;

  /// `bounds` must outlive the cell. Every target gets all observations; it has the same bounds.
  HistogramCell(Bounds bounds, std::vector<prometheus::Histogram*> targets);

  /// The worker's thread.
  void observe(double value) noexcept {
    if (!(value > above_ && value <= up_to_)) find_bucket(value);
    add_alone(buckets_[bucket_], std::uint64_t{1});
    add_alone(sum_, value);
  }
  /// The control thread. An observation under way may show in the sum and not yet in its bucket;
  /// the next scrape has both.
  void fold();

 private:
  void find_bucket(double value) noexcept;

  Bounds bounds_;
  // The bucket that counted last, and what it takes: over `above_` up to `up_to_`. Most follow
  // there.
  std::size_t bucket_ = 0;
  double above_ = 0, up_to_ = 0;
  std::atomic<double> sum_{0};
  std::array<std::atomic<std::uint64_t>, buckets_max> buckets_{};
  double folded_sum_ = 0;
  std::array<std::uint64_t, buckets_max> folded_{};
  std::vector<prometheus::Histogram*> targets_;
};

}  // namespace tollgate::app
