#include "routing/hedging.hpp"

#include <algorithm>
#include <bit>

namespace tollgate::routing {
namespace {

constexpr std::uint32_t part_bits = 3;

/// 0 to 7 for themselves, then eight to each power of two.
std::size_t bucket_of(std::uint64_t value) {
  if (value < 1U << part_bits) return value;
  const auto shift = static_cast<std::uint32_t>(std::bit_width(value)) - part_bits - 1;
  return ((static_cast<std::size_t>(shift) + 1) << part_bits) + (value >> shift) -
         (1U << part_bits);
}

/// The largest value of a bucket.
std::uint64_t end_of(std::size_t bucket) {
  if (bucket < 1U << part_bits) return bucket;
  const std::size_t shift = (bucket >> part_bits) - 1;
  const std::uint64_t part = (bucket & ((1U << part_bits) - 1)) + (1U << part_bits);
  return ((part + 1) << shift) - 1;
}

}  // namespace

void RecentTimes::observe(std::chrono::microseconds took) noexcept {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  const std::size_t bucket = std::min(bucket_of(value), buckets - 1);
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  if (total_.fetch_add(1, std::memory_order_relaxed) + 1 < kept_max) return;
  // What is older counts half, again and again.
  std::uint32_t total = 0;
  for (std::atomic<std::uint32_t>& count : counts_) {
    const std::uint32_t half = count.load(std::memory_order_relaxed) / 2;
    count.store(half, std::memory_order_relaxed);
    total += half;
  }
  total_.store(total, std::memory_order_relaxed);
}

std::optional<std::chrono::microseconds> RecentTimes::percentile(std::uint32_t of) const noexcept {
  const std::uint64_t total = total_.load(std::memory_order_relaxed);
  if (total < known_min) return std::nullopt;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket].load(std::memory_order_relaxed);
    if (seen * 100 >= total * of) return std::chrono::microseconds(end_of(bucket));
  }
  return std::nullopt;
}

std::optional<std::chrono::microseconds> Hedging::enter(bool stream) noexcept {
  if (saved_.load(std::memory_order_relaxed) < saved_max) {
    saved_.fetch_add(share_, std::memory_order_relaxed);
  }
  if (rule_.after.percentile == 0) return rule_.after.time;
  return times_[stream ? 1 : 0].percentile(rule_.after.percentile);
}

bool Hedging::take() noexcept {
  std::int64_t saved = saved_.load(std::memory_order_relaxed);
  while (saved >= whole) {
    if (saved_.compare_exchange_weak(saved, saved - whole, std::memory_order_relaxed)) return true;
  }
  return false;
}

}  // namespace tollgate::routing
