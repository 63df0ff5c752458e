// ReplyPieces: a stored reply cut up again, so that it can be streamed at the pace of a model. Used
// by the run that answers, on its worker.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

#include "gateway/core/block.hpp"
#include "policies/cache/reply.hpp"

namespace tollgate::cache {

class ReplyPieces {
 public:
  /// `reply` outlives it; `block` holds what its views point into. A piece of text has at most
  /// `bytes`, but a character at least.
  ReplyPieces(const StoredReply& reply, std::shared_ptr<Block> block, std::size_t bytes)
      : events_(reply.events), block_(std::move(block)), bytes_(bytes) {}

  /// Adds the next piece of text to `out`, with all that stands before it. False: all was given.
  bool next(Batch& out);

 private:
  bool push_piece(const StreamEvent& event, Batch& out);

  const std::vector<StreamEvent>& events_;
  std::shared_ptr<Block> block_;
  std::size_t bytes_;
  std::size_t at_ = 0;     // the event that is being given
  std::size_t given_ = 0;  // bytes of its text that were
};

}  // namespace tollgate::cache
