#include "routing/retry.hpp"

#include <algorithm>
#include <functional>

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;

/// Seconds since the steady clock began, in the bits that a cell has for them.
std::uint64_t second_of(SteadyTime now) {
  constexpr std::uint64_t tag_mask = (1ULL << 20U) - 1;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return static_cast<std::uint64_t>(seconds.count()) & tag_mask;
}

/// The provider may have worked and billed though it reported no failure: it was silent for too
/// long, or began a reply that was cut, empty or garbage.
bool repeated_once_only(const Error& error, Phase phase) {
  if (error.upstream_status != 0) return false;
  return phase == Phase::replying ||
         (phase == Phase::waiting && error.kind == ErrorKind::upstream_timeout);
}

}  // namespace

Retry after_failure(const Error& error, Phase phase, std::uint32_t tries) {
  if (phase == Phase::shown) return Retry::never;
  if (error.retry != Retry::same_or_other) return error.retry;
  return tries > 1 && repeated_once_only(error, phase) ? Retry::other_target : Retry::same_or_other;
}

milliseconds backoff(const RetryRules& rules, std::uint32_t repeats, std::uint64_t random) {
  milliseconds most = std::min(rules.base, rules.cap);
  for (; repeats > 0 && most < rules.cap && most.count() > 0; --repeats)
    most = std::min(most * 2, rules.cap);
  return milliseconds(
      static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(most.count()) + 1)));
}

std::uint64_t draw_of(std::string_view request_id, std::uint32_t draw) {
  std::uint64_t bits = std::hash<std::string_view>{}(request_id) + draw * 0x9e3779b97f4a7c15ULL;
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31U);
}

/// A cell of another second begins anew.
void RetryBudget::add(SteadyTime now, std::uint64_t what) {
  const std::uint64_t second = second_of(now);
  std::atomic<std::uint64_t>& cell = cells_[second % seconds_kept];
  std::uint64_t seen = cell.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    const bool current = seen >> (2 * count_bits) == second;
    next = (current ? seen : second << (2 * count_bits)) + what;
  } while (!cell.compare_exchange_weak(seen, next, std::memory_order_relaxed));
}

bool RetryBudget::take(SteadyTime now) {
  const std::uint64_t second = second_of(now);
  std::uint64_t requests = 0, repeats = 0, repeats_now = 0;
  for (const auto& cell : cells_) {
    const std::uint64_t seen = cell.load(std::memory_order_relaxed);
    const std::uint64_t age = second - (seen >> (2 * count_bits));
    if (age >= seconds_kept) continue;
    requests += (seen >> count_bits) & count_mask;
    repeats += seen & count_mask;
    if (age == 0) repeats_now = seen & count_mask;
  }
  const bool within = (repeats + 1) * 1000 <= permille_ * requests;
  if (repeats_now >= repeats_always && !within) return false;
  add(now, one_repeat);
  return true;
}

}  // namespace tollgate::routing
