// Bucket: a token bucket kept as what is used of it, in whole units, so that the arithmetic is
// exact and the same in every store. A limit of R a minute drains R units a microsecond; one
// request or token is 60,000,000 units. It may go into debt and pays it back (money.md M15). Plain
// value; whoever owns it locks.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tollgate::policies {

using Micros = std::int64_t;  // since the epoch, by the store's clock

/// What a bucket is measured by; it may change between two calls (reload).
struct BucketRule {
  std::uint64_t per_minute = 0;
  std::chrono::milliseconds burst{60'000};
};

class Bucket {
 public:
  static constexpr std::uint64_t unit = 60'000'000;
  /// More at one time counts as this much: nothing overflows.
  static constexpr std::uint64_t amount_max = 1ULL << 36U;

  /// One that stands elsewhere, as it was at `at`.
  static Bucket of(std::uint64_t used, Micros at) {
    Bucket made;
    made.used_ = used;
    made.at_ = at;
    return made;
  }

  void drain(const BucketRule& rule, Micros now) {
    if (now > at_) {
      const auto passed = static_cast<unsigned __int128>(now - at_) * rule.per_minute;
      used_ = passed >= used_ ? 0 : used_ - static_cast<std::uint64_t>(passed);
    }
    // A clock that was set back drains on from there: limits must not stand still until it is
    // where it was.
    at_ = now;
  }
  /// Drained first. What is larger than the bucket passes when it is full.
  [[nodiscard]] bool fits(const BucketRule& rule, std::uint64_t amount) const {
    return over(rule, amount) == 0;
  }
  /// How long until `amount` fits.
  [[nodiscard]] std::chrono::microseconds wait(const BucketRule& rule, std::uint64_t amount) const {
    const std::uint64_t rate = std::max<std::uint64_t>(rule.per_minute, 1);
    return std::chrono::microseconds((over(rule, amount) + rate - 1) / rate);
  }
  void take(std::uint64_t amount) {
    amount = std::min(amount, amount_max) * unit;
    used_ = used_ > ceiling - amount ? ceiling : used_ + amount;
  }
  void give(std::uint64_t amount) { used_ -= std::min(used_, std::min(amount, amount_max) * unit); }

  [[nodiscard]] std::uint64_t used() const { return (used_ + unit - 1) / unit; }
  /// Whole requests or tokens that fit now.
  [[nodiscard]] std::uint64_t remaining(const BucketRule& rule) const {
    const std::uint64_t all = capacity(rule);
    return all > used_ ? (all - used_) / unit : 0;
  }
  /// Until it is full again.
  [[nodiscard]] std::chrono::microseconds reset(const BucketRule& rule) const {
    const std::uint64_t rate = std::max<std::uint64_t>(rule.per_minute, 1);
    return std::chrono::microseconds((used_ + rate - 1) / rate);
  }
  [[nodiscard]] bool full() const { return used_ == 0; }
  /// What a full bucket holds, in units.
  [[nodiscard]] static std::uint64_t capacity(const BucketRule& rule) {
    const auto micros = std::chrono::microseconds(rule.burst).count();
    const auto all =
        static_cast<unsigned __int128>(rule.per_minute) * static_cast<std::uint64_t>(micros);
    return static_cast<std::uint64_t>(std::min<unsigned __int128>(all, ceiling));
  }

 private:
  static constexpr std::uint64_t ceiling = UINT64_MAX / 2;

  /// Units that must drain before `amount` fits.
  [[nodiscard]] std::uint64_t over(const BucketRule& rule, std::uint64_t amount) const {
    const std::uint64_t all = capacity(rule), asked = std::min(amount, amount_max) * unit;
    if (asked > all) return used_;
    return used_ + asked > all ? used_ + asked - all : 0;
  }

  std::uint64_t used_ = 0;
  Micros at_ = 0;
};

}  // namespace tollgate::policies
