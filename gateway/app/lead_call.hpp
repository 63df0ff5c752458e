// LeadCall: what a call does for equal ones that run at the same time: it writes down what its
// provider says, and goes on without its client while they read. LeaderWatch tells it when they
// have gone too. Owned by the call, on its worker; absent where nobody may share.
#pragma once
#include <memory>
#include <span>

#include "gateway/app/services.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/frame_memory.hpp"
#include "policies/cache/flights.hpp"
#include "policies/cache/reply.hpp"
#include "policies/cache/shared_flights.hpp"

namespace tollgate::app {

/// The provider refuses the request itself: all who asked the same are told the same.
[[nodiscard]] bool holds_for_all(const Error& error);

class LeadCall : public PerCall {
 public:
  /// `loop` and `call` outlive it.
  LeadCall(std::unique_ptr<cache::Flights::Lead> lead, const Loop& loop, Call& call)
      : lead_(std::move(lead)), loop_(loop), call_(call) {}
  ~LeadCall();
  LeadCall(const LeadCall&) = delete;
  LeadCall& operator=(const LeadCall&) = delete;

  /// False: `begin` has not been called.
  [[nodiscard]] bool begun() const { return begun_; }
  /// Once, before the first batch: what is known of the reply.
  void begin(const cache::ReplyFacts& facts);
  /// The provider's next batch, and what it says beside its events.
  void take(const Batch& batch, std::span<const StreamEvent> extras);
  /// It has said all. `facts` are complete now.
  void done(const cache::ReplyFacts& facts);
  /// There is no such reply: whoever waits for it sees for himself, or is told the same.
  void fail(const Error& why);
  /// The call has ended. Where that was without `done` and `fail`, the others do not get the rest.
  void close();
  /// Other replicas wait for the reply too. `envelope` outlives this.
  void hold(std::unique_ptr<cache::SharedFlights::Lease> lease, const cache::Envelope& envelope) {
    lease_ = std::move(lease);
    envelope_ = &envelope;
  }
  /// Another replica asks: the place among the calls of this process, for whoever waits for it.
  [[nodiscard]] std::unique_ptr<cache::Flights::Lead> give_up() { return std::move(lead_); }
  /// Its client has gone. True: others want the reply, or may; when it turns out that nobody does,
  /// the call is aborted.
  [[nodiscard]] bool goes_on() noexcept;

 private:
  class Watch;
  void ask_replicas();

  std::unique_ptr<cache::Flights::Lead> lead_;
  const Loop& loop_;
  Call& call_;
  std::shared_ptr<Watch> watch_;
  std::unique_ptr<cache::SharedFlights::Lease> lease_;  // nullptr: no replica waits
  const cache::Envelope* envelope_ = nullptr;
  bool begun_ = false;
};

}  // namespace tollgate::app
