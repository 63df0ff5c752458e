#include "gateway/app/metric_cells.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace tollgate::app {

void CounterCell::fold() {
  const std::uint64_t total = total_.load(std::memory_order_relaxed);
  const std::uint64_t more = total - std::exchange(folded_, total);
  if (more > 0) target_.Increment(static_cast<double>(more) * unit_);
}

HistogramCell::HistogramCell(Bounds bounds, std::vector<prometheus::Histogram*> targets)
    : bounds_(bounds), targets_(std::move(targets)) {
  assert(bounds_.size() < buckets_max);
}

void HistogramCell::find_bucket(double value) noexcept {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto bound = std::ranges::lower_bound(bounds_, value);
  bucket_ = static_cast<std::size_t>(bound - bounds_.begin());
  above_ = bucket_ == 0 ? -infinity : bounds_[bucket_ - 1];
  up_to_ = bound == bounds_.end() ? infinity : *bound;
}

void HistogramCell::fold() {
  std::vector<double> more(bounds_.size() + 1);
  bool any = false;
  for (std::size_t i = 0; i < more.size(); ++i) {
    const std::uint64_t total = buckets_[i].load(std::memory_order_relaxed);
    more[i] = static_cast<double>(total - std::exchange(folded_[i], total));
    any = any || more[i] > 0;
  }
  if (!any) return;
  const double sum = sum_.load(std::memory_order_relaxed);
  const double more_sum = sum - std::exchange(folded_sum_, sum);
  for (prometheus::Histogram* target : targets_)
    target->ObserveMultiple(more, more_sum);
}

}  // namespace tollgate::app
