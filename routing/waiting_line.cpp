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
  const auto& wish = waiter->wish();
  Flow& flow = flows_[wish.tenant];
  flow.weight = wish.weight;
  if (flow.waiters.empty()) {
    // Who was away has not saved up anything.
    flow.had = std::max(flow.had, served_to_);
  }
  flow.waiters.push_back({.waiter = waiter, .arrival = arrivals_++});
  // Before the look at what is free: whoever frees a place after it sees that somebody waits.
  size_.fetch_add(1, std::memory_order_seq_cst);
  serve_all(now);
}

void WaitingLine::leave(const Waiter& waiter, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  const auto flow = flows_.find(waiter.wish().tenant);
  if (flow == flows_.end()) return;
  const auto taken = std::erase_if(flow->second.waiters, [&waiter](const Standing& standing) {
    return standing.waiter.get() == &waiter;
  });
  size_.fetch_sub(taken, std::memory_order_seq_cst);
  // It may have been the one that the time was watched for.
  if (taken > 0) serve_all(now);
}

void WaitingLine::serve(SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  serve_all(now);
}

void WaitingLine::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  for (auto& [tenant, flow] : flows_) {
    for (const Standing& standing : flow.waiters)
      standing.waiter->dismiss();
  }
  flows_.clear();
  size_ = 0;
  blocked_ = false;
}

std::chrono::nanoseconds WaitingLine::expected_wait() const {
  const std::scoped_lock lock(mutex_);
  return interval_ * static_cast<std::int64_t>(size_ + 1);
}

void WaitingLine::serve_all(SteadyTime now) {
  now_ = std::max(now_, now);
  Outcome outcome = Outcome::served;
  while (size_ > 0 && outcome == Outcome::served)
    outcome = serve_one(now_);
  // Only now: nobody overtakes while it is being found out.
  blocked_ = size_ > 0 && outcome == Outcome::blocked;
  forget_settled();
}

/// Those who wait, the one that has had the least first.
std::vector<WaitingLine::Flow*> WaitingLine::by_turn() {
  std::vector<Flow*> order;
  for (auto& [tenant, flow] : flows_) {
    if (!flow.waiters.empty()) order.push_back(&flow);
  }
  std::ranges::sort(order, [](const Flow* a, const Flow* b) {
    if (a->had != b->had) return a->had < b->had;
    return a->waiters.front().arrival < b->waiters.front().arrival;
  });
  return order;
}

WaitingLine::Outcome WaitingLine::serve_one(SteadyTime now) {
  std::shared_ptr<Waiter> first_late;
  SteadyTime soonest = never;
  for (Flow* flow : by_turn()) {
    for (auto at = flow->waiters.begin(); at != flow->waiters.end();) {
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
      at = flow->waiters.erase(at);
      size_.fetch_sub(1, std::memory_order_seq_cst);
      if (answer == Waiter::Answer::over) continue;
      note_served(*flow, now);
      return Outcome::served;
    }
  }
  if (first_late && soonest != never) first_late->set_alarm(soonest);
  return Outcome::nobody;
}

void WaitingLine::note_served(Flow& flow, SteadyTime now) {
  constexpr int memory = 8;
  served_to_ = std::max(served_to_, flow.had);
  flow.had += 1.0 / flow.weight;
  const auto took = now - last_served_;
  last_served_ = now;
  interval_ = interval_.count() == 0 ? took : interval_ + (took - interval_) / memory;
}

/// Whoever would begin where all do is not remembered.
void WaitingLine::forget_settled() {
  if (size_ == 0) {
    flows_.clear();
    served_to_ = 0;
    return;
  }
  std::erase_if(flows_, [this](const auto& entry) {
    return entry.second.waiters.empty() && entry.second.had <= served_to_;
  });
}

}  // namespace tollgate::routing
