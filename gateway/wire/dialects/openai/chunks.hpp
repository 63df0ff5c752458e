// ChunkRenderer: canonical events as the JSON chunks of one endpoint, each framed as `data: ...`.
// It knows nothing of relays, [DONE] and errors: stream_encoder does. For this folder only; pure.
#pragma once
#include <memory>
#include <string>

#include "gateway/core/event.hpp"
#include "gateway/wire/dialect.hpp"

namespace tollgate::wire::openai {

struct ChunkRenderer {
  virtual ~ChunkRenderer() = default;
  /// One chunk or a few for one event, the same wherever a batch was cut. Finishes are held.
  virtual void event(const StreamEvent& event, std::string& out) = 0;
  /// The provider's own bytes have gone out: the roles stand in them.
  virtual void relayed() = 0;
  /// The finish chunks that are held.
  virtual void settle(std::string& out) = 0;
  /// A reply that was rendered from its first byte is complete: what it still owes but usage.
  virtual void complete(std::string& out) = 0;
  /// The usage chunk, where it was asked for and the figures are known.
  virtual void usage(std::string& out) = 0;
};

std::unique_ptr<ChunkRenderer> chat_chunks(const ReplyContext& context);
std::unique_ptr<ChunkRenderer> completion_chunks(const ReplyContext& context);

}  // namespace tollgate::wire::openai
