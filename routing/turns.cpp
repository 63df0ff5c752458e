#include "routing/turns.hpp"

#include <algorithm>

namespace tollgate::routing {
namespace {

/// What another of the provider's keys may change.
bool is_of_the_key(const Error& error) {
  return error.kind == ErrorKind::upstream_auth || error.kind == ErrorKind::upstream_quota ||
         error.kind == ErrorKind::upstream_rate_limited;
}

}  // namespace

/// True where the same question went to the same place and came back for good.
bool Turns::is_spent(std::size_t target) const {
  for (std::size_t i = 0; i < states_.size() && i < target; ++i) {
    const bool same = targets_[i].provider == targets_[target].provider &&
                      targets_[i].model == targets_[target].model;
    const State& state = states_[i];
    const bool other_key = state.of_the_key && targets_[i].key != targets_[target].key;
    if (same && state.tries > 0 && !state.may_repeat && !other_key) return true;
  }
  return false;
}

std::optional<std::size_t> Turns::other_than(std::size_t target) {
  while (fresh_ < targets_.size() && is_spent(fresh_))
    ++fresh_;
  if (fresh_ == targets_.size()) return std::nullopt;
  const Target &asked = targets_[target], &other = targets_[fresh_];
  if (asked.provider == other.provider && asked.model == other.model) return std::nullopt;
  return fresh_;
}

std::optional<Turns::Turn> Turns::next(SteadyTime now) {
  while (fresh_ < targets_.size() && (is_spent(fresh_) || tries(fresh_) > 0))
    ++fresh_;
  if (fresh_ < targets_.size()) return Turn{fresh_++, now, false};
  for (;;) {
    State* best = nullptr;
    for (State& state : states_) {
      if (state.may_repeat && (best == nullptr || state.ready_at < best->ready_at)) best = &state;
    }
    if (best == nullptr) return std::nullopt;
    const auto index = static_cast<std::size_t>(best - states_.data());
    RetryBudget* budget = targets_[index].repeats;
    best->may_repeat = false;
    if (budget != nullptr && budget->take(now)) return Turn{index, best->ready_at, true};
    over_budget_ = over_budget_ || budget != nullptr;
  }
}

Turns::Turn Turns::call(std::size_t target) {
  fresh_ = 0;  // the one whose turn it was has not been asked
  return {.target = target, .at = {}, .repeat = false};
}

void Turns::failed(std::size_t target, const Failure& failure, SteadyTime now) {
  if (states_.empty()) states_.resize(targets_.size());
  State& state = states_[target];
  ++state.tries;
  state.of_the_key = is_of_the_key(failure.error);
  const Retry after = after_failure(failure.error, failure.phase, state.tries);
  state.may_repeat = failure.begun && after == Retry::same_or_other;
  state.ready_at = now + wait_after(failure.error, state.tries);
}

std::chrono::milliseconds Turns::wait_after(const Error& error, std::uint32_t tries) const {
  if (error.asked_wait && error.asked_wait->count() > 0) return *error.asked_wait;
  return backoff(rules_, tries - 1, draw_of(call_id_, tries));
}

}  // namespace tollgate::routing
