#include "gateway/app/queue_turn.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/values.hpp"
#include "gateway/core/signal.hpp"
#include "gateway/net/deadlines.hpp"
#include "routing/health_watch.hpp"

namespace tollgate::app {

using routing::QueueEnd;
using routing::Waiter;

/// Outlives its call for as long as a post is under way.
class QueueTurn::Standing final : public Waiter {
 public:
  Standing(boost::asio::io_context& io, Wish wish) : Waiter(std::move(wish)), io_(io) {}
  /// Any thread. Always a post: who frees a place, or lets time pass, must not be re-entered.
  void wake() noexcept override {
    boost::asio::post(
        io_, [self = shared_from_this()] { static_cast<Standing&>(*self).signal.notify(); });
  }
  Signal signal;

 private:
  boost::asio::io_context& io_;
};

namespace {

/// What else ends a wait: time, and the call's own end.
template <class Standing>
class Alarm final : public net::Deadline, public Abortable {
 public:
  Alarm(net::Deadlines& deadlines, Standing& standing) : Deadline(deadlines), standing_(standing) {}
  void abort() noexcept override { standing_.wake(); }

 private:
  void expired() override { standing_.wake(); }
  Standing& standing_;
};

}  // namespace

QueueTurn::QueueTurn(const Loop& loop, Call& call, routing::ModelQueue& queue,
                     const config::QueueConfig& rules, Waiter::Wish wish)
    : loop_(loop),
      call_(call),
      queue_(queue),
      rules_(rules),
      standing_(std::make_shared<Standing>(loop.io, std::move(wish))) {}

QueueTurn::~QueueTurn() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (waits_) end(QueueEnd::left, now);
  if (has_place_) standing_->place().health->leave(standing_->pass(), {}, now);
}

Awaitable<Result<bool>> QueueTurn::next(SteadyTime until) {
  const SteadyTime since = std::chrono::steady_clock::now();
  call_.resting = true;
  SteadyTime now = since;
  std::optional<Error> failed = waits_ ? std::nullopt : enter(now);
  bool late = false;
  while (!failed && !has_place_ && !late) {
    failed = over(now);
    if (failed || has_place_) break;
    const SteadyTime end = std::min({until, until_, call_.deadline});
    if (now >= standing_->alarm()) {
      standing_->look_again(now);
    } else {
      co_await wait(std::min(end, standing_->alarm()));
    }
    now = std::chrono::steady_clock::now();
    late = now >= until;
  }
  call_.resting = false;
  call_.waited += now - since;
  note_wait(now - since);
  if (failed) co_return std::unexpected(std::move(*failed));
  co_return has_place_;
}

/// A call may wait more than once: for each of its models.
void QueueTurn::note_wait(std::chrono::nanoseconds time) {
  auto& queued = call_.outcome.queued;
  queued = queued.value_or(std::chrono::nanoseconds(0)) + time;
}

std::optional<Error> QueueTurn::enter(SteadyTime now) {
  if (!queue_.enter(rules_.max)) {
    since_ = now;
    return full("its queue is full (max: " + std::to_string(rules_.max) + ")", now);
  }
  waits_ = true;
  since_ = now;
  until_ = now + rules_.wait;
  standing_->enter(now);
  return std::nullopt;
}

/// Ends the wait where something has come of it, be it a place or an error.
std::optional<Error> QueueTurn::over(SteadyTime now) {
  if (call_.abort.aborted()) {
    end(QueueEnd::left, now);  // a place that came in this very moment is handed on
    return call_.abort.reason();
  }
  switch (standing_->state()) {
    case Waiter::State::called:
      end(QueueEnd::admitted, now);
      return std::nullopt;
    case Waiter::State::hopeless:
      end(QueueEnd::broken, now);
      return routing::resting_error(standing_->rest(now), now);
    case Waiter::State::dismissed:
      end(QueueEnd::left, now);
      return make_error(ErrorKind::draining, "The gateway is shutting down.");
    default:
      break;
  }
  if (now < until_ && now < call_.deadline) return std::nullopt;
  if (end(QueueEnd::timeout, now)) return std::nullopt;  // at the last moment
  if (now >= call_.deadline) {
    return make_error(ErrorKind::deadline_exceeded, "the call's time limit has passed");
  }
  return full("no place came free within " + config::to_text(rules_.wait), now);
}

/// True: it has got a place.
bool QueueTurn::end(QueueEnd how, SteadyTime now) {
  waits_ = false;
  has_place_ = standing_->leave(now);
  queue_.leave(has_place_ && how == QueueEnd::timeout ? QueueEnd::admitted : how, now - since_);
  return has_place_;
}

const Waiter::Place& QueueTurn::take() {
  has_place_ = false;
  return standing_->place();
}

const routing::Pass& QueueTurn::pass() const { return standing_->pass(); }

Awaitable<void> QueueTurn::wait(SteadyTime until) {
  Alarm<Standing> alarm(loop_.deadlines, *standing_);
  alarm.arm(until);
  const AbortScope scope(call_.abort, alarm);
  co_await standing_->signal.wait();
}

/// Whoever comes again should wait for as long as those do that wait now.
Error QueueTurn::full(std::string why, SteadyTime now) const {
  constexpr std::chrono::milliseconds least{1000}, most{60'000};
  Error error = make_error(
      ErrorKind::queue_full,
      "Every target of this model is at its provider's limit, and " + std::move(why) + ".");
  std::chrono::nanoseconds wait = standing_->expected_wait(now);
  if (wait.count() == 0) wait = standing_->rest(now).until - now;
  wait = std::max(wait, now - since_);  // who waited for that long in vain knows as much
  error.retry_after = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(wait), least, most);
  return error;
}

}  // namespace tollgate::app
