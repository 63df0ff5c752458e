// Upstream: the port through which the attempt loop reaches a provider. Implemented over sockets in
// gateway/net, by the in-process demo, and by a script in tests. One object a worker, used on its
// thread only.
#pragma once
#include <memory>
#include <string_view>

#include "gateway/core/abort.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/front.hpp"
#include "routing/provider.hpp"

namespace tollgate::routing {

/// One step of reading a reply.
struct ReadStep {
  enum class What : std::uint8_t { bytes, end, timeout } what = What::end;
  std::shared_ptr<Block> block;  ///< holds `bytes`
  std::string_view bytes;
};

/// A provider's reply: its head has come.
struct UpstreamReply {
  virtual ~UpstreamReply() = default;  ///< closes unless read to its end
  [[nodiscard]] virtual const ResponseHead& head() const = 0;
  /// The next body bytes (framing taken off), `end`, or `timeout` when `until` passes first: then
  /// nothing is lost and it may be called again. Errors: upstream_timeout after `timeouts.idle`
  /// without a byte, stream_cut, the slot's reason when aborted.
  virtual Awaitable<Result<ReadStep>> read(SteadyTime until) = 0;
  /// Ends the connection at once; a pending read returns an error.
  virtual void close() noexcept = 0;
};

/// Times of one exchange, for metrics and overhead.
struct UpstreamTimes {
  SteadyTime sent{}, first_byte{};
  bool reused = false;
};

struct Upstream {
  virtual ~Upstream() = default;
  /// Sends and waits for the head (1xx skipped). A reused connection that was closed before a reply
  /// byte is replaced by a fresh one, once. `body_idle_deadline`: streams have
  /// `timeouts.first_byte` to their head, whole replies only `deadline`. Errors: upstream_error
  /// (DNS, connect, TLS, reset), upstream_timeout, deadline_exceeded, the slot's reason when
  /// aborted.
  virtual Awaitable<Result<std::unique_ptr<UpstreamReply>>> send(const ProviderEntry& provider,
                                                                 const HttpRequest& request,
                                                                 bool stream, SteadyTime deadline,
                                                                 AbortSlot& slot,
                                                                 UpstreamTimes& times) = 0;
};

}  // namespace tollgate::routing
