// Hedging: when a model's calls may be asked for a second time, elsewhere, because the first target
// is slow: after a fixed time, or one that its recent first tokens took; and only for a share of
// its calls. One a model, shared by all workers without a lock: counts may be off by a few.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "config/config.hpp"

namespace tollgate::routing {

/// How long things took of late, by eighths of a power of two: a percentile is at most an eighth
/// too long.
class RecentTimes {
 public:
  void observe(std::chrono::microseconds took) noexcept;
  /// What so many of a hundred took at most; nullopt: too few are known.
  [[nodiscard]] std::optional<std::chrono::microseconds> percentile(
      std::uint32_t of) const noexcept;

 private:
  static constexpr std::size_t parts = 8, buckets = 36 * parts;
  static constexpr std::uint32_t known_min = 20, kept_max = 1000;

  std::array<std::atomic<std::uint32_t>, buckets> counts_{};
  std::atomic<std::uint32_t> total_{0};
};

class Hedging {
 public:
  explicit Hedging(const config::HedgeConfig& rule)
      : rule_(rule), share_(static_cast<std::int64_t>(rule.max_share.permille)) {}

  /// Counts a call. Answers how long its first token is awaited before a second target is asked;
  /// nullopt: that is not known yet.
  [[nodiscard]] std::optional<std::chrono::microseconds> enter(bool stream) noexcept;
  /// Takes leave for a second request; false: too many calls have had one.
  [[nodiscard]] bool take() noexcept;
  /// The first token came (of a reply that is no stream: all of it), `took` after the request.
  void observe(bool stream, std::chrono::microseconds took) noexcept {
    times_[stream ? 1 : 0].observe(took);
  }

 private:
  static constexpr std::int64_t whole = 1000, saved_max = 50 * whole;

  config::HedgeConfig rule_;
  std::int64_t share_;
  std::array<RecentTimes, 2> times_;    // of whole replies, of streams
  std::atomic<std::int64_t> saved_{0};  // thousandths of a second request that calls have earned
};

}  // namespace tollgate::routing
