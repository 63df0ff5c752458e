// QueueTurn: one call's wait for a place at any of its targets, when all are at their providers'
// limits and its model has a queue. Other workers wake it; time, the call's end and the model's
// `wait` end it. Owned by the call, on its worker; absent unless the call has to wait.
#pragma once
#include <chrono>
#include <memory>

#include "config/config.hpp"
#include "gateway/app/services.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/frame_memory.hpp"
#include "routing/model_queue.hpp"
#include "routing/waiter.hpp"

namespace tollgate::app {

class QueueTurn : public PerCall {
 public:
  /// `queue` and what `rules` are of outlive it.
  QueueTurn(const Loop& loop, Call& call, routing::ModelQueue& queue,
            const config::QueueConfig& rules, routing::Waiter::Wish wish);
  /// Leaves the queue; a place that nobody took is handed on.
  ~QueueTurn();
  QueueTurn(const QueueTurn&) = delete;
  QueueTurn& operator=(const QueueTurn&) = delete;

  /// True: a place is the call's own, see `take`. False: `until` came first, ask again. Errors:
  /// queue_full, no_healthy_target, draining, deadline_exceeded, why the call was aborted.
  Awaitable<Result<bool>> next(SteadyTime until);
  /// The place that was got; it is the caller's to end. Once.
  const routing::Waiter::Place& take();
  [[nodiscard]] const routing::Pass& pass() const;

 private:
  class Standing;
  std::optional<Error> enter(SteadyTime now);
  std::optional<Error> over(SteadyTime now);
  void note_wait(std::chrono::nanoseconds time);
  Awaitable<void> wait(SteadyTime until);
  bool end(routing::QueueEnd how, SteadyTime now);
  [[nodiscard]] Error full(std::string why, SteadyTime now) const;

  const Loop& loop_;
  Call& call_;
  routing::ModelQueue& queue_;
  const config::QueueConfig& rules_;
  std::shared_ptr<Standing> standing_;
  SteadyTime since_{};
  SteadyTime until_ = never;  // that it may wait
  bool waits_ = false;
  bool has_place_ = false;
};

}  // namespace tollgate::app
