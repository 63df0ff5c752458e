#include "routing/provider_limit.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tollgate::routing {
namespace {

constexpr double minute = 60e9;  // ns
/// Nobody knows when a running call ends; who asks is told to come back soon.
constexpr auto a_place_takes = std::chrono::milliseconds(100);

}  // namespace

void ProviderLimit::Bucket::refill(std::uint64_t per_minute, SteadyTime now) {
  const auto most = static_cast<double>(per_minute);
  if (at == SteadyTime{}) {
    left = most;
  } else if (now > at) {
    left += most * static_cast<double>((now - at).count()) / minute;
  }
  left = std::min(left, most);
  at = std::max(at, now);
}

SteadyTime ProviderLimit::Bucket::when(std::uint64_t per_minute, double amount,
                                       SteadyTime now) const {
  const auto most = static_cast<double>(per_minute);
  const double missing = std::min(amount, most) - left;
  // A billionth of a token is a matter of rounding.
  if (per_minute == 0 || missing <= 1e-9) return now;
  return now + std::chrono::nanoseconds(static_cast<std::int64_t>(missing / most * minute) + 1);
}

void ProviderLimit::set(const Rules& rules) {
  const std::scoped_lock lock(mutex_);
  // What was not counted is not known: a new limit begins with a full minute.
  if (rules_.requests_per_minute == 0) requests_ = {};
  if (rules_.tokens_per_minute == 0) tokens_ = {};
  rules_ = rules;
  limited_ = rules != Rules{};
}

std::uint32_t ProviderLimit::places() const {
  if (!rules_.adaptive) return rules_.concurrent;
  return rules_.concurrent > 0 ? std::min(adaptive_.limit(), rules_.concurrent) : adaptive_.limit();
}

std::uint32_t ProviderLimit::concurrent() const {
  const std::scoped_lock lock(mutex_);
  return places();
}

void ProviderLimit::first_token(std::chrono::nanoseconds took) {
  if (!limited()) return;
  const std::scoped_lock lock(mutex_);
  if (rules_.adaptive) adaptive_.observe(took, running_, rules_.concurrent);
}

void ProviderLimit::failed() {
  if (!limited()) return;
  const std::scoped_lock lock(mutex_);
  if (rules_.adaptive) adaptive_.failed();
}

Availability ProviderLimit::judge(std::uint64_t tokens, SteadyTime now) const {
  requests_.refill(rules_.requests_per_minute, now);
  tokens_.refill(rules_.tokens_per_minute, now);
  SteadyTime until =
      std::max(requests_.when(rules_.requests_per_minute, 1, now),
               tokens_.when(rules_.tokens_per_minute,
                            static_cast<double>(std::max<std::uint64_t>(tokens, 1)), now));
  const std::uint32_t most = places();
  const bool full = most > 0 && running_ >= most;
  if (full) until = std::max(until, now + a_place_takes);
  if (until <= now) return {};
  return {.rest = Rest::limited, .until = until, .of_provider = true, .known = !full};
}

Availability ProviderLimit::look(std::uint64_t tokens, SteadyTime now) const {
  if (line_.blocked()) return line_.behind(now);
  if (!limited()) return {};
  const std::scoped_lock lock(mutex_);
  return judge(tokens, now);
}

Availability ProviderLimit::take(std::uint64_t tokens, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  const Availability seen = judge(tokens, now);
  if (!seen.usable()) return seen;
  ++running_;
  requests_.left -= 1;
  tokens_.left -= static_cast<double>(tokens);
  return seen;
}

void ProviderLimit::give_back(std::uint64_t taken, std::uint64_t used, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  --running_;
  tokens_.refill(rules_.tokens_per_minute, now);
  tokens_.left += static_cast<double>(taken) - static_cast<double>(used);
}

}  // namespace tollgate::routing
