// Forwarder: the attempt loop, the only failover code. Sends a call to its targets one after
// another, then again to those whose failure may pass, until one brings content; then passes that
// one's batches on. Until the first content has been handed out nobody sees a failure that may be
// retried. One object a call and model, on the call's worker. Asked step by step by the run.
#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/attempt.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/call.hpp"
#include "gateway/core/rare.hpp"
#include "routing/health_watch.hpp"
#include "routing/turns.hpp"
#include "routing/upstream.hpp"
#include "routing/waiter.hpp"

namespace tollgate::routing {

class Waiting;

/// What the loop needs of one call; everything outlives the forwarder.
struct ForwardPlan {
  const wire::RequestView& view;
  std::vector<Target> targets;  ///< in the order to try; at least one
  RetryRules retry;             ///< `attempts`: at most so many
  bool elsewhere = false;  ///< another model stands by: no wait longer than `retry.cap` is begun
  bool refuse_unsupported = false;
  bool full_events = false;  ///< somebody reads the events, also where bytes are relayed
  /// The tenant's own upstream keys by provider name; they replace the provider's.
  const HeaderList* own_keys = nullptr;
  std::uint64_t tokens = 0;                      ///< that an attempt may use, by estimate
  AbortSlot* slot = nullptr;                     ///< that ends its waits; nullptr: the call's
  std::uint64_t reply_bytes_max = 64ULL << 20U;  ///< of a reply that is no stream
};

enum class Step : std::uint8_t { batch, end, timeout };

class Forwarder {
 public:
  Forwarder(Call& call, ForwardPlan plan, Upstream& upstream, AttemptGate& gate);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  /// The next batch with content (`out` is cleared first), `end`, or `timeout` when `until` passes
  /// first (call again). Error: what the client should be told; the last attempt's own, or the
  /// abort slot's reason.
  Awaitable<Result<Step>> next(Batch& out, SteadyTime until);

  /// Encodes for the first target that takes the request and keeps that for the first attempt, so
  /// that admission knows the bytes (asked again: encodes anew). Error: no target takes it.
  Result<AttemptTarget> preview();

  /// Where the call could wait for a place: its targets but those with keys of the tenant's own.
  [[nodiscard]] std::vector<Waiter::Place> places() const;
  /// The next attempt goes to that one of them, with a place that it has got.
  void call_up(const Waiter::Place& place, const Pass& pass);

  /// What was sent is not needed any more: since content was handed out, no other attempt follows.
  void release_request();

  /// For a call that asks another target beside this one: while it is held, no attempt follows one
  /// that fails; `next` may be asked again once it is let go.
  void hold(bool held) { held_back_ = held; }
  /// A request was sent, and there is no content yet.
  [[nodiscard]] bool waits() const { return attempt_ && !content_out_; }
  [[nodiscard]] bool head_seen() const { return decoder_ != nullptr; }
  /// There is another target, which was not asked yet. Only while an attempt is in flight.
  [[nodiscard]] bool has_other() { return turns_.other_than(turn_->target).has_value(); }
  /// That target, for somebody else to ask: its turn is over.
  [[nodiscard]] const Target& lend();
  void lent_failed(const Error& error, bool begun);
  /// No more than so many attempts follow.
  void limit_attempts(std::uint32_t left) {
    plan_.retry.attempts = std::min(plan_.retry.attempts, begun_ + left);
  }

  /// Ends the attempt in flight, if any, and its connection. Nothing may be asked afterwards.
  void close() noexcept;

  /// Target and hints of the attempt in flight, or of the last one; null before the first.
  [[nodiscard]] const Target* target() const { return current_; }
  [[nodiscard]] const DecodeHints& hints() const { return encoded_.hints; }
  /// Request fields that the attempt in flight could not take.
  [[nodiscard]] const std::vector<std::string>& dropped() const { return encoded_.dropped; }
  /// What the reply under way calls its model; empty: nothing yet.
  [[nodiscard]] std::string_view reply_model() const { return reply_model_; }
  [[nodiscard]] std::uint32_t attempts() const { return begun_; }
  /// Bytes of text, reasoning and tool arguments of the attempt in flight.
  [[nodiscard]] std::uint64_t text_bytes() const { return text_bytes_; }
  /// That an attempt may use, by estimate; 0 where nobody counts them.
  [[nodiscard]] std::uint64_t tokens() const { return plan_.tokens; }
  /// Some target takes the request.
  [[nodiscard]] bool previewed() const { return previewed_; }
  /// Content was handed out: there is no way back.
  [[nodiscard]] bool shown() const { return content_out_; }

 private:
  Awaitable<Result<Step>> begin_attempt(SteadyTime until);
  Awaitable<Result<Step>> rest(SteadyTime until);
  Awaitable<Result<void>> send(const Target& target);
  bool choose();
  [[nodiscard]] SteadyTime rests_until(std::size_t index, SteadyTime now) const;
  bool fail_over(Error error, Phase phase, bool begun);
  Result<void> encode(const Target& target);
  [[nodiscard]] AttemptTarget target_of(const Target& target) const;
  Awaitable<Result<Step>> begin(Batch& out, SteadyTime until);
  Awaitable<Result<Step>> advance(Batch& out, SteadyTime until);
  Awaitable<Result<Step>> go_on(Batch& out, SteadyTime until);
  [[nodiscard]] SteadyTime wait_until(SteadyTime until) const;
  Result<Step> digest(Result<ReadStep> read, Waiting& waiting, Batch& into);
  Result<void> take(const ReadStep& step, Batch& into);
  void note(const Batch& batch);
  void remember(Error error);
  void end_attempt(const Error* error) noexcept;
  [[nodiscard]] Phase phase() const;
  [[nodiscard]] Error why_none() const;
  [[nodiscard]] std::string_view key_for(const Target& target) const;

  Call& call_;
  ForwardPlan plan_;
  AbortSlot& slot_;
  Upstream& upstream_;
  AttemptGate& gate_;

  Turns turns_;
  std::optional<Turns::Turn> turn_;  // under way, or up
  bool previewed_ = false;           // encoded_ is for its target
  bool held_back_ = false;
  std::size_t lent_ = 0;
  std::uint32_t begun_ = 0;
  Rare<Error> last_error_;

  const Target* current_ = nullptr;
  std::optional<Attempt> attempt_;
  HealthWatch watch_;
  Encoded encoded_;
  std::unique_ptr<UpstreamReply> reply_;
  std::unique_ptr<ReplyDecoder> decoder_;
  Batch held_;  // frames before the first content
  Usage usage_;
  bool usage_seen_ = false;
  std::uint64_t text_bytes_counted_ = 0;  // that usage_ speaks of, which came at usage_at_
  SteadyTime usage_at_{};
  bool finished_ = false;  // it has said why: what it counts is all
  bool complete_ = false;  // the provider has said its last word
  std::uint64_t reply_bytes_ = 0;
  std::uint64_t text_bytes_ = 0;
  std::string reply_model_;
  SteadyTime sent_at_{};
  bool content_out_ = false;  // handed to the run: from here failover would be visible
  bool ended_ = false;
};

}  // namespace tollgate::routing
