// Block and Batch: the bytes of a reply and the views into them, owned together.
// A decoder fills a Batch, policies look at it, an encoder renders it, the pump clears and reuses
// it. One thread at a time; who keeps a view past `clear()` keeps the block.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "gateway/core/event.hpp"

namespace tollgate {

/// A piece of memory that views point into; never grows, so views stay true.
class Block {
 public:
  explicit Block(std::size_t capacity)
      : bytes_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}
  [[nodiscard]] char* data() { return bytes_.get(); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  void reset() { used_ = 0; }
  /// Copies `text` behind what is there; the caller has checked the room.
  std::string_view append(std::string_view text);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_;
  std::size_t used_ = 0;
};

/// One frame of the reply: its bytes as they came and the events it meant (0..n).
struct Frame {
  std::string_view wire;
  std::uint32_t first_event = 0;
  std::uint32_t event_count = 0;
  bool changed = false;  ///< a policy rewrote the events: `wire` no longer holds
};

/// What one step of a source brought. Views in frames and events point into `blocks`.
struct Batch {
  std::vector<std::shared_ptr<Block>> blocks;
  std::vector<Frame> frames;
  std::vector<StreamEvent> events;

  /// Forgets everything; the scratch block is kept for reuse when nobody else holds it.
  void clear();
  /// A copy of `text` that lives as long as the batch's blocks.
  std::string_view store(std::string_view text);
  /// Opens a frame over `wire`; events pushed from now on belong to it.
  void begin_frame(std::string_view wire);
  void push(StreamEvent event);
  /// Keeps `block` alive with the batch (once, however often it is called in a row).
  void hold(const std::shared_ptr<Block>& block);

 private:
  std::shared_ptr<Block> scratch_;
};

}  // namespace tollgate
