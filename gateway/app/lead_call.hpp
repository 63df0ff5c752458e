// LeadCall: what a call does for equal ones that run at the same time: it writes down what its
// provider says, and goes on without its client while they read. LeaderWatch tells it when they
// have gone too. Owned by the call, on its worker; absent where nobody may share.
#pragma once
#include <memory>

#include "gateway/app/services.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/frame_memory.hpp"
#include "policies/cache/flights.hpp"
#include "policies/cache/reply.hpp"

namespace tollgate::app {

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
  /// The provider's next batch.
  void take(const Batch& batch);
  /// It has said all. `facts` are complete now.
  void done(const cache::ReplyFacts& facts);
  /// There is no such reply: whoever waits for it sees for himself, or is told the same.
  void fail(const Error& why);
  /// Its client has gone. True: others want the reply.
  [[nodiscard]] bool goes_on() noexcept;

 private:
  class Watch;
  void append(std::string frame);

  std::unique_ptr<cache::Flights::Lead> lead_;
  const Loop& loop_;
  Call& call_;
  std::shared_ptr<Watch> watch_;
  bool begun_ = false;
};

}  // namespace tollgate::app
