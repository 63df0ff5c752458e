// LiveReply: a reply on its way from the call that asked to those that share it, as events in a
// log: each renders them in its own form, under its own id. Pure; the writer on the leader's
// worker, a reader on its follower's.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/block.hpp"
#include "gateway/core/pieces.hpp"
#include "policies/cache/reply.hpp"

namespace tollgate::cache {

/// One frame: what stands beside the events. The last one counts.
[[nodiscard]] std::string live_facts(const ReplyFacts& facts);
/// One frame: the events of one batch, and RelayedExtras' of it. Empty: it says nothing that others
/// need.
[[nodiscard]] std::string live_events(const Batch& batch, std::span<const StreamEvent> extras = {});

class LiveReader {
 public:
  /// What was read of the log next; whole frames, which stay where they are.
  void take(const Pieces& bytes);
  /// Adds the events of the frames that are there to `out`, about `bytes_usual` at a time. False:
  /// there were none.
  bool next(Batch& out);
  /// nullopt: the writer has not said.
  [[nodiscard]] const std::optional<ReplyFacts>& facts() const { return facts_; }
  /// False: the log held something else.
  [[nodiscard]] bool good() const { return good_; }

 private:
  static constexpr std::size_t bytes_usual = 16 * 1024;
  [[nodiscard]] bool done() const { return at_ == parts_.size(); }
  std::string_view read(std::size_t bytes, Batch& out);

  std::vector<std::string_view> parts_;
  std::size_t at_ = 0;  // of the parts: the first with something left
  std::optional<ReplyFacts> facts_;
  bool started_ = false, good_ = true;
};

}  // namespace tollgate::cache
