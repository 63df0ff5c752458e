#include "routing/waiting_line.hpp"

#include <algorithm>

namespace tollgate::routing {
namespace {

/// Nobody knows when a running call ends; who asks is told to come back soon.
constexpr auto a_turn_takes = std::chrono::milliseconds(100);

}  // namespace

Availability WaitingLine::behind(SteadyTime now) {
  return {.rest = Rest::limited, .until = now + a_turn_takes, .of_provider = true, .known = false};
}

void WaitingLine::enter(const std::shared_ptr<Waiter>& waiter, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  if (closed_) return waiter->dismiss();
  if (size_ == 0) last_served_ = std::max(now, now_);  // an idle line says nothing about its pace
  waiters_.add(waiter);
  // Before the look at what is free: whoever frees a place after it sees that somebody waits.
  size_.fetch_add(1, std::memory_order_seq_cst);
  serve_all(now);
}

void WaitingLine::leave(const Waiter& waiter, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  if (!waiters_.remove(waiter)) return;
  size_.fetch_sub(1, std::memory_order_seq_cst);
  // It may have been the one that the time was watched for.
  serve_all(now);
}

void WaitingLine::serve(SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  serve_all(now);
}

void WaitingLine::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  waiters_.dismiss_all();
  size_ = 0;
  blocked_ = false;
}

std::chrono::nanoseconds WaitingLine::expected_wait(SteadyTime now) const {
  const std::scoped_lock lock(mutex_);
  // A line that has stood still for longer than its pace has that for its pace.
  const auto still = size_ > 0 && interval_.count() > 0 ? now - last_served_ : interval_;
  return std::max(interval_, still) * static_cast<std::int64_t>(size_ + 1);
}

void WaitingLine::serve_all(SteadyTime now) {
  now_ = std::max(now_, now);
  Outcome outcome = Outcome::served;
  while (size_ > 0 && outcome == Outcome::served)
    outcome = serve_one(now_);
  // Only now: nobody overtakes while it is being found out.
  blocked_ = size_ > 0 && outcome == Outcome::blocked;
  waiters_.forget_settled();
}

WaitingLine::Outcome WaitingLine::serve_one(SteadyTime now) {
  std::shared_ptr<Waiter> first_late;
  SteadyTime soonest = never;
  for (ShareTree::Node* leaf : waiters_.by_turn()) {
    for (auto at = leaf->calls.begin(); at != leaf->calls.end();) {
      SteadyTime due = never;
      const auto answer = at->waiter->try_at(limit_, now, due);
      if (answer == Waiter::Answer::blocked) {
        if (due != never) at->waiter->set_alarm(due);
        return Outcome::blocked;
      }
      if (answer == Waiter::Answer::not_now) {
        if (!first_late) first_late = at->waiter;
        soonest = std::min(soonest, due);
        ++at;
        continue;
      }
      at = waiters_.take(*leaf, at);
      size_.fetch_sub(1, std::memory_order_seq_cst);
      if (answer == Waiter::Answer::over) continue;
      waiters_.count_place(*leaf);
      note_served(now);
      return Outcome::served;
    }
  }
  if (first_late && soonest != never) first_late->set_alarm(soonest);
  return Outcome::nobody;
}

void WaitingLine::note_served(SteadyTime now) {
  constexpr int memory = 8;
  const auto took = now - last_served_;
  last_served_ = now;
  interval_ = interval_.count() == 0 ? took : interval_ + (took - interval_) / memory;
}

}  // namespace tollgate::routing
