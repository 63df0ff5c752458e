#include "routing/waiter.hpp"

#include <algorithm>

#include "routing/health.hpp"

namespace tollgate::routing {

Waiter::Waiter(Wish wish) : wish_(std::move(wish)) {
  for (const Place& place : wish_.places) {
    const auto& limit = place.health->limit();
    if (std::ranges::find(limits_, limit) == limits_.end()) limits_.push_back(limit);
  }
}

void Waiter::enter(SteadyTime now) {
  for (const auto& limit : limits_)
    limit->line().enter(shared_from_this(), now);
}

bool Waiter::leave(SteadyTime now) {
  {
    const std::scoped_lock lock(mutex_);
    if (state_ == State::waiting) state_ = State::left;
  }
  for (const auto& limit : limits_)
    limit->line().leave(*this, now);
  return state() == State::called;
}

void Waiter::look_again(SteadyTime now) {
  {
    const std::scoped_lock lock(mutex_);
    alarm_ = never;
  }
  for (const auto& limit : limits_)
    limit->line().serve(now);
}

Waiter::State Waiter::state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

SteadyTime Waiter::alarm() const {
  const std::scoped_lock lock(mutex_);
  return alarm_;
}

/// Asks for a place at each of its targets there. `due`: when time may change the answer.
Waiter::Answer Waiter::try_at(const ProviderLimit& limit, SteadyTime now, SteadyTime& due) {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::waiting) return Answer::over;
  bool blocked = false;
  for (const Place& place : wish_.places) {
    if (place.health->limit().get() != &limit) continue;
    Availability refused;
    if (const auto pass = place.health->enter_in_turn(place.key, now, refused, wish_.tokens)) {
      pass_ = *pass;
      place_ = &place;
      state_ = State::called;
      wake();
      return Answer::called;
    }
    if (refused.known) due = std::min(due, refused.until);
    blocked = blocked || refused.of_provider;
  }
  if (blocked) return Answer::blocked;
  if (!is_hopeless(now)) return Answer::not_now;
  state_ = State::hopeless;
  wake();
  return Answer::over;
}

bool Waiter::is_hopeless(SteadyTime now) const {
  return std::ranges::all_of(wish_.places, [now](const Place& place) {
    return place.health->with_key(place.key, now).rest == Rest::broken;
  });
}

void Waiter::dismiss() {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::waiting) return;
  state_ = State::dismissed;
  wake();
}

void Waiter::set_alarm(SteadyTime at) {
  const std::scoped_lock lock(mutex_);
  if (state_ != State::waiting || at >= alarm_) return;
  alarm_ = at;
  wake();
}

Availability Waiter::rest(SteadyTime now) const {
  Availability soonest{.rest = Rest::broken, .until = never};
  for (const Place& place : wish_.places) {
    Availability seen = place.health->with_key(place.key, now);
    if (seen.usable()) seen = place.health->limit()->look(wish_.tokens, now);
    if (seen.rest != Rest::broken) soonest.rest = Rest::limited;
    soonest.until = std::min(soonest.until, std::max(seen.until, now));
  }
  return soonest;
}

std::chrono::nanoseconds Waiter::expected_wait(SteadyTime now) const {
  std::chrono::nanoseconds least{0};
  for (const auto& limit : limits_) {
    const auto wait = limit->line().expected_wait(now);
    if (least.count() == 0 || (wait.count() > 0 && wait < least)) least = wait;
  }
  return least;
}

}  // namespace tollgate::routing
