// The part of a call with an Idempotency-Key that other replicas take part in: the key was new
// here, but may be known to the Redis that they share.
#include "gateway/app/generation.hpp"
#include "gateway/app/replica_watch.hpp"

namespace tollgate::app {

using policies::ReplicaKeys;
using policies::ReplyLog;

/// Either this call leads, for all replicas; or it follows; or it must not run.
Awaitable<Result<void>> Generation::agree() {
  const auto ttl = run_.plan->config.idempotency.ttl;
  auto answer = co_await services_.replicas->claim({lead_->id(), lead_->fingerprint()}, ttl,
                                                   run_.plan->envelope);
  if (answer) co_return heed(std::move(*answer));
  if (services_.replicas->shared().on_error != config::OnStoreError::deny) {
    // Redis will never hear of this call: this process must know it beyond its own end.
    auto noted = lead_->remember();
    if (!noted) lead_.reset();
    co_return noted;
  }
  lead_->end(ReplyLog::State::failed);
  lead_.reset();
  co_return std::unexpected(answer.error());
}

/// This process remembers nothing of what Redis knows: each call asks anew.
Result<void> Generation::heed(ReplicaKeys::Answer answer) {
  if (answer.word == ReplicaKeys::Word::granted) {
    claim_ = std::move(answer.claim);
    return {};
  }
  if (answer.word == ReplicaKeys::Word::running) {
    source_ = lead_->log();
    joined_ = true;
    watch_replica(services_, std::move(*lead_));
    lead_.reset();
    return {};
  }
  lead_->end(ReplyLog::State::failed);
  lead_.reset();
  if (answer.word == ReplicaKeys::Word::done) {
    source_ = std::move(answer.log);
    joined_ = false;
    return {};
  }
  if (answer.word == ReplicaKeys::Word::reused) return std::unexpected(policies::key_reused());
  return std::unexpected(policies::key_unknown());
}

/// The call has ended without a reply that counts.
Awaitable<void> Generation::give_up_claim() {
  const auto claim = std::move(claim_);
  if (spending_.spent()) {
    co_await claim->lose(run_.plan->config.idempotency.ttl);
  } else {
    co_await claim->give_back();
  }
}

/// Before the client has the last bytes: another replica then finds them when it asks again.
Awaitable<void> Generation::share_reply() {
  const auto claim = std::move(claim_);
  co_await claim->finish(*lead_->log(), run_.plan->config.idempotency.ttl, run_.plan->envelope);
}

}  // namespace tollgate::app
