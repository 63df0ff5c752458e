// Forwarder: the attempt loop, the only failover code. Sends a call to its targets one after
// another until one brings content, then passes that one's batches on. Until the first content has
// been handed out a retryable failure goes to the next target and nobody sees it. One object a
// call, on the call's worker. Asked step by step by the run.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/core/attempt.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/call.hpp"
#include "routing/health_watch.hpp"
#include "routing/upstream.hpp"

namespace tollgate::routing {

/// What the loop needs of one call; everything outlives the forwarder.
struct ForwardPlan {
  const wire::RequestView& view;
  std::vector<Target> targets;  ///< in the order to try; at least one
  std::uint32_t attempts_max = 1;
  bool refuse_unsupported = false;
  /// The tenant's own upstream keys by provider name; they replace the provider's.
  const HeaderList* own_keys = nullptr;
  std::uint64_t tokens = 0;                      ///< that an attempt may use, by estimate
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

  /// What was sent is not needed any more: since content was handed out, no other attempt follows.
  void release_request();

  /// Ends the attempt in flight, if any, and its connection. Nothing may be asked afterwards.
  void close() noexcept;

  /// Target and hints of the attempt in flight, or of the last one; null before the first.
  [[nodiscard]] const Target* target() const { return current_ ? &*current_ : nullptr; }
  [[nodiscard]] const DecodeHints& hints() const { return encoded_.hints; }
  /// Request fields that the attempt in flight could not take.
  [[nodiscard]] const std::vector<std::string>& dropped() const { return encoded_.dropped; }
  [[nodiscard]] std::uint32_t attempts() const { return begun_; }

 private:
  Awaitable<Result<void>> begin_attempt();
  Awaitable<Result<void>> begin_on(const Target& target);
  Result<void> encode(const Target& target);
  [[nodiscard]] AttemptTarget target_of(const Target& target) const;
  Awaitable<Result<Step>> advance(Batch& out, SteadyTime until);
  Awaitable<Result<Step>> pull(Batch& into, SteadyTime until);
  Result<void> take(const ReadStep& step, Batch& into);
  void note(const Batch& batch);
  void remember(Error error);
  void end_attempt(const Error* error) noexcept;
  [[nodiscard]] bool may_try_another(const Error& error) const;
  [[nodiscard]] std::string_view key_for(const Target& target) const;

  Call& call_;
  ForwardPlan plan_;
  Upstream& upstream_;
  AttemptGate& gate_;

  std::size_t next_target_ = 0;
  bool previewed_ = false;  // encoded_ is for targets[next_target_]
  std::uint32_t begun_ = 0;
  std::optional<Error> last_error_;

  std::optional<Target> current_;
  std::optional<Attempt> attempt_;
  HealthWatch watch_;
  Encoded encoded_;
  std::unique_ptr<UpstreamReply> reply_;
  std::unique_ptr<ReplyDecoder> decoder_;
  Batch held_;  // frames before the first content
  Usage usage_;
  bool usage_seen_ = false;
  bool complete_ = false;  // the provider has said its last word
  std::uint64_t reply_bytes_ = 0;
  std::uint64_t text_bytes_ = 0;
  std::string reply_model_;
  SteadyTime sent_at_{};
  bool content_out_ = false;  // handed to the run: from here failover would be visible
  bool ended_ = false;
};

}  // namespace tollgate::routing
