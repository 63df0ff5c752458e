#include "gateway/app/lead_call.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "policies/cache/live_reply.hpp"

namespace tollgate::app {

using policies::ReplyLog;

/// Outlives the call for as long as a post is under way.
class LeadCall::Watch final : public ReplyLog::Waiter, public std::enable_shared_from_this<Watch> {
 public:
  Watch(boost::asio::io_context& io, Call& call) : call_(&call), io_(io) {}
  void wake() noexcept override {
    boost::asio::post(io_, [self = shared_from_this()] {
      if (self->call_ == nullptr) return;
      self->call_->abort.abort(
          make_error(ErrorKind::client_gone, "Everybody who waited for the reply has gone."));
    });
  }
  /// On the call's worker.
  void forget() { call_ = nullptr; }

 private:
  Call* call_;
  boost::asio::io_context& io_;
};

LeadCall::~LeadCall() {
  if (watch_) watch_->forget();
}

void LeadCall::begin(const cache::ReplyFacts& facts) {
  begun_ = true;
  append(cache::live_facts(facts));
}

void LeadCall::take(const Batch& batch) { append(cache::live_events(batch)); }

void LeadCall::append(std::string frame) {
  Pieces pieces;
  pieces.view(frame);
  lead_->append(pieces);
}

void LeadCall::done(const cache::ReplyFacts& facts) {
  append(cache::live_facts(facts));
  lead_->end(ReplyLog::State::done);
}

void LeadCall::fail(const Error& why) { lead_->end(ReplyLog::State::failed, why); }

bool LeadCall::goes_on() noexcept {
  if (!watch_) watch_ = std::make_shared<Watch>(loop_.io, call_);
  return lead_->hand_on(watch_);
}

}  // namespace tollgate::app
