// Upstream: the port through which the attempt loop reaches a provider. Implemented over sockets
// in gateway/net, by the in-process demo, and by a script in tests.
// One object a worker, used on its thread only.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "gateway/core/abort.hpp"
#include "gateway/core/block.hpp"
#include "gateway/core/clock.hpp"
#include "gateway/core/frame_memory.hpp"
#include "gateway/core/front.hpp"
#include "routing/provider.hpp"

namespace tollgate::routing {

/// One step of reading a reply.
struct ReadStep {
  enum class What : std::uint8_t { bytes, end, timeout } what = What::end;
  std::shared_ptr<Block> block;  ///< holds `bytes`
  std::string_view bytes;
};

/// Times of one exchange, for metrics and overhead.
struct UpstreamTimes {
  SteadyTime sent{};        ///< the request was written
  SteadyTime first_byte{};  ///< the reply's head began
  SteadyTime looked{};      ///< the clock when the last wait for the peer ended; 0: not noted
  bool reused = false;      ///< over a kept-alive connection
};

/// One exchange under way: the request has been written, the reply is awaited.
struct UpstreamReply : PerCall {
  virtual ~UpstreamReply() =
      default;  ///< closes the connection unless the reply was read to its end
  /// Waits for the reply's head (1xx skipped). False: `until` passed first; nothing is lost, call
  /// it again. A reused connection that was closed before any reply byte is replaced by a fresh
  /// one, once, inside this call. Errors: upstream_error (reset, garbage, redirect),
  /// upstream_timeout
  /// (`timeouts.first_byte`, streams only), deadline_exceeded, the slot's reason when aborted.
  virtual Awaitable<Result<bool>> await_head(SteadyTime until) = 0;
  /// Valid once await_head gave true.
  [[nodiscard]] virtual const ResponseHead& head() const = 0;
  /// The next body bytes (framing taken off), `end`, or `timeout` when `until` passes first: then
  /// nothing is lost and it may be called again. Errors: upstream_timeout after `timeouts.idle`
  /// without a byte, deadline_exceeded, stream_cut, the slot's reason when aborted.
  virtual Awaitable<Result<ReadStep>> read(SteadyTime until) = 0;
  [[nodiscard]] virtual const UpstreamTimes& times() const = 0;
  /// Ends the connection at once; a pending wait returns an error.
  virtual void close() noexcept = 0;
  /// True: `read` has handed out the last bytes and would bring `end`. False: that is not known.
  [[nodiscard]] virtual bool ended() const { return false; }
};

/// What to send where. Everything referred to outlives the UpstreamReply (a resend needs it).
struct UpstreamRequest {
  const ProviderEntry& provider;
  const HttpRequest& http;
  bool stream = false;          ///< bounds the wait for the head by `timeouts.first_byte`
  SteadyTime deadline = never;  ///< of the whole call
  AbortSlot& slot;
};

struct Upstream {
  virtual ~Upstream() = default;
  /// Connects (or takes a pooled connection) and writes the request. Errors: upstream_error (DNS,
  /// connect, TLS, reset), upstream_timeout (`timeouts.connect`), deadline_exceeded, the slot's
  /// reason when aborted.
  virtual Awaitable<Result<std::unique_ptr<UpstreamReply>>> send(
      const UpstreamRequest& request) = 0;
  /// Lets time pass until `until`. Error: the slot's reason, at once when it is aborted.
  virtual Awaitable<Result<void>> pause(SteadyTime until, AbortSlot& slot) = 0;
};

}  // namespace tollgate::routing
