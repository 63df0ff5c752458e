#include "gateway/app/lead_call.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "gateway/core/task.hpp"
#include "policies/cache/live_reply.hpp"

namespace tollgate::app {

using policies::ReplyLog;

bool holds_for_all(const Error& error) {
  return error.upstream_status != 0 && error.retry == Retry::never && error.status < 500;
}

/// Outlives the call for as long as a post or a question is under way.
class LeadCall::Watch final : public ReplyLog::Waiter, public std::enable_shared_from_this<Watch> {
 public:
  Watch(boost::asio::io_context& io, LeadCall& lead) : lead_(&lead), io_(io) {}
  void wake() noexcept override {
    boost::asio::post(io_, [self = shared_from_this()] { self->desert(); });
  }
  /// The rest is on the call's worker.
  void forget() { lead_ = nullptr; }
  static Awaitable<void> ask(std::shared_ptr<Watch> self) {
    const bool awaited = co_await self->lead_->lease_->is_awaited();
    if (!awaited && self->lead_ != nullptr) self->abort();
  }

 private:
  void desert() {
    if (lead_ == nullptr) return;
    lead_->lease_ ? lead_->ask_replicas() : abort();
  }
  void abort() {
    lead_->call_.abort.abort(
        make_error(ErrorKind::client_gone, "Everybody who waited for the reply has gone."));
  }

  LeadCall* lead_;
  boost::asio::io_context& io_;
};

LeadCall::~LeadCall() {
  if (watch_) watch_->forget();
}

void LeadCall::begin(const cache::ReplyFacts& facts) {
  begun_ = true;
  lead_->append(cache::live_facts(facts));
}

void LeadCall::take(const Batch& batch, std::span<const StreamEvent> extras) {
  lead_->append(cache::live_events(batch, extras));
}

void LeadCall::done(const cache::ReplyFacts& facts) {
  lead_->append(cache::live_facts(facts));
  lead_->end(ReplyLog::State::done);
  if (lease_) lease_->done();
  lease_.reset();
}

void LeadCall::fail(const Error& why) {
  lead_->end(ReplyLog::State::failed, why);
  if (lease_) lease_->fail(holds_for_all(why) ? &why : nullptr, *envelope_);
  lease_.reset();
}

void LeadCall::close() {
  lead_->end(ReplyLog::State::lost);
  if (lease_) lease_->fail(nullptr, *envelope_);
  lease_.reset();
}

bool LeadCall::goes_on() noexcept {
  if (!watch_) watch_ = std::make_shared<Watch>(loop_.io, *this);
  if (lead_->hand_on(watch_)) return true;
  if (lease_) ask_replicas();
  return lease_ != nullptr;
}

void LeadCall::ask_replicas() { start(Watch::ask(watch_)); }

}  // namespace tollgate::app
