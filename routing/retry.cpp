#include "routing/retry.hpp"

#include <algorithm>
#include <functional>

#include "routing/stir.hpp"

namespace tollgate::routing {
namespace {

using std::chrono::milliseconds;

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
  return stir(std::hash<std::string_view>{}(request_id) + draw * stir_step);
}

bool RetryBudget::take(SteadyTime now) {
  const CountWindow::Sum recent = window_.sum(now);
  const bool within = (recent.marked + 1) * 1000 <= permille_ * recent.calls;
  if (recent.marked_now >= repeats_always && !within) return false;
  window_.count(0, 1, now);
  return true;
}

}  // namespace tollgate::routing
