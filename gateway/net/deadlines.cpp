#include "gateway/net/deadlines.hpp"

#include <ctime>

namespace tollgate::net {

SteadyTime coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return SteadyTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

void Deadline::arm(SteadyTime at) {
  at_ = at;
  if (slot_ != npos && queued_ <= at) return;  // the heap looks again at the earlier time
  if (at == never) return;
  if (slot_ != npos) owner_.remove(*this);
  queued_ = at;
  owner_.insert(*this);
}

void Deadline::disarm() noexcept {
  at_ = never;
  if (slot_ != npos) owner_.remove(*this);
}

void Deadlines::insert(Deadline& entry) {
  heap_.push_back(&entry);
  entry.slot_ = heap_.size() - 1;
  sift_up(entry.slot_);
  schedule();
}

void Deadlines::remove(Deadline& entry) noexcept {
  const std::size_t hole = entry.slot_;
  entry.slot_ = Deadline::npos;
  Deadline* last = heap_.back();
  heap_.pop_back();
  if (last == &entry) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->slot_);
}

void Deadlines::place(std::size_t i, Deadline* entry) {
  heap_[i] = entry;
  entry->slot_ = i;
}

void Deadlines::sift_up(std::size_t i) {
  Deadline* entry = heap_[i];
  while (i > 0) {
    const std::size_t parent = (i - 1) / 2;
    if (heap_[parent]->queued_ <= entry->queued_) break;
    place(i, heap_[parent]);
    i = parent;
  }
  place(i, entry);
}

void Deadlines::sift_down(std::size_t i) {
  Deadline* entry = heap_[i];
  for (;;) {
    std::size_t child = 2 * i + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->queued_ < heap_[child]->queued_) ++child;
    if (heap_[child]->queued_ >= entry->queued_) break;
    place(i, heap_[child]);
    i = child;
  }
  place(i, entry);
}

void Deadlines::schedule() {
  if (stopped_ || heap_.empty() || heap_.front()->queued_ >= armed_) return;
  armed_ = heap_.front()->queued_;
  timer_.expires_at(armed_);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) fire();
  });
}

void Deadlines::fire() {
  armed_ = never;
  const SteadyTime now = std::chrono::steady_clock::now();
  while (!stopped_ && !heap_.empty() && heap_.front()->queued_ <= now) {
    Deadline& due = *heap_.front();
    remove(due);
    if (due.at_ <= now) {
      due.at_ = never;
      due.expired();
    } else if (due.at_ != never) {
      due.queued_ = due.at_;
      insert(due);
    }
  }
  schedule();
}

void Deadlines::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace tollgate::net
