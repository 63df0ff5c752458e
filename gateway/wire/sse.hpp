// SseDecoder: server-sent events out of bytes as they come, the same for every split.
// Used by every provider decoder. Lines end in LF, CRLF or CR; a BOM and comments are skipped;
// several data lines join with LF; an event at EOF counts (providers forget the last blank line).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/core/block.hpp"
#include "gateway/core/error.hpp"

namespace tollgate::wire {

struct SseEvent {
  std::string_view wire;   ///< the event's bytes as they came, blank line included, BOM not
  std::string_view event;  ///< name, empty: "message"
  std::string_view data;   ///< joined data lines; empty for a pure comment or heartbeat
  bool has_data = false;
};

class SseDecoder {
 public:
  explicit SseDecoder(std::size_t event_bytes_max = 16U << 20U) : max_(event_bytes_max) {}

  /// Takes the next bytes, which lie in `block`. Then call `next` until it returns false.
  void feed(const std::shared_ptr<Block>& block, std::string_view bytes);
  /// The next whole event. Its views live in `batch` (blocks held there). False: needs more.
  /// Error: upstream_error when one event passes the limit.
  Result<bool> next(Batch& batch, SseEvent& out);
  /// The event that EOF completes, if any bytes are left.
  Result<bool> finish(Batch& batch, SseEvent& out);

 private:
  std::size_t find_end();
  Result<bool> take(std::string_view bytes, Batch& batch, SseEvent& out);
  std::string_view store_partial(std::size_t end, Batch& batch);

  std::size_t max_;
  std::shared_ptr<Block> block_;
  std::string_view rest_;    // of block_
  std::size_t scanned_ = 0;  // of rest_
  std::string partial_;      // the front of an event that began in an earlier block
  std::string joined_;       // scratch for several data lines
  bool first_ = true;        // a BOM may come
  bool line_empty_ = true;   // nothing in the current line yet
  bool after_cr_ = false;    // the byte before was a CR: an LF now belongs to it
  bool blank_ = false;       // that CR ended a blank line
};

}  // namespace tollgate::wire
