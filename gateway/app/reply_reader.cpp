#include "gateway/app/reply_reader.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "gateway/core/signal.hpp"
#include "gateway/net/deadlines.hpp"

namespace tollgate::app {

using policies::ReplyLog;

/// Outlives its reader for as long as a post is under way.
class ReplyReader::Wakeup final : public ReplyLog::Waiter,
                                  public std::enable_shared_from_this<Wakeup> {
 public:
  explicit Wakeup(boost::asio::io_context& io) : io_(io) {}
  /// Any thread. Always a post: who aborts a call, or lets time pass, must not be re-entered.
  void wake() noexcept override {
    boost::asio::post(io_, [self = shared_from_this()] { self->signal.notify(); });
  }
  Signal signal;

 private:
  boost::asio::io_context& io_;
};

namespace {

/// What else ends a wait: time, and the call's own end.
class Alarm final : public net::Deadline, public Abortable {
 public:
  Alarm(net::Deadlines& deadlines, ReplyLog::Waiter& waiter)
      : Deadline(deadlines), waiter_(waiter) {}
  void abort() noexcept override { waiter_.wake(); }

 private:
  void expired() override { waiter_.wake(); }
  ReplyLog::Waiter& waiter_;
};

}  // namespace

ReplyReader::ReplyReader(const Loop& loop, std::shared_ptr<ReplyLog> log, Call& call)
    : loop_(loop), log_(std::move(log)), call_(call), wakeup_(std::make_shared<Wakeup>(loop.io)) {}

ReplyReader::~ReplyReader() { log_->forget(wakeup_.get()); }

Awaitable<Result<ReplyReader::Step>> ReplyReader::next(Pieces& frames, SteadyTime until) {
  const SteadyTime end = std::min(until, call_.deadline);
  for (;;) {
    if (call_.abort.aborted()) co_return std::unexpected(call_.abort.reason());
    if (const auto step = look(frames)) co_return *step;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= call_.deadline) {
      co_return fail(ErrorKind::deadline_exceeded, "the call's time limit has passed");
    }
    if (now >= end) co_return Step::timeout;
    if (!log_->wait(taken_, head_known_, wakeup_)) continue;
    co_await wait(end);
    call_.waited += std::chrono::steady_clock::now() - now;
  }
}

std::optional<ReplyReader::Step> ReplyReader::look(Pieces& frames) {
  if (!head_known_ && log_->head() != nullptr) {
    head_known_ = true;
    return Step::head;
  }
  const std::size_t before = frames.size();
  state_ = log_->read(taken_, frames);
  taken_ += frames.size() - before;
  if (state_ != ReplyLog::State::running) return Step::end;
  if (frames.size() > before) return Step::bytes;
  return std::nullopt;
}

Awaitable<void> ReplyReader::wait(SteadyTime until) {
  Alarm alarm(loop_.deadlines, *wakeup_);
  alarm.arm(until);
  const AbortScope scope(call_.abort, alarm);
  co_await wakeup_->signal.wait();
  log_->forget(wakeup_.get());
}

}  // namespace tollgate::app
