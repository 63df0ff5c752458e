// StreamWatch: reads one SSE reply as a client would and judges it: every delta's stamp gives its
// place in the stream and when it was sent. StreamCounts collects over all streams of a run.
// Called by the load generator with the body bytes as they arrive; one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "bench/histogram.hpp"
#include "bench/stamp.hpp"

namespace tollgate::bench {

struct StreamCounts {
  std::uint64_t frames = 0;     ///< deltas with a stamp
  std::uint64_t lost = 0;       ///< sequence numbers that never came
  std::uint64_t reordered = 0;  ///< deltas behind one that was sent later, and repeated ones
  std::uint64_t merged = 0;     ///< deltas that shared a `data:` payload with an earlier one
  std::uint64_t together = 0;   ///< deltas that came in the same read as the one before; no fault
  std::uint64_t late = 0;       ///< deltas later than `late_ns`
  std::int64_t late_ns = 5'000'000;
  Histogram delay;   ///< nanoseconds from the upstream's stamp to our read
  Histogram jitter;  ///< nanoseconds by which the gap to the delta before was changed
};

class StreamWatch {
 public:
  /// Forgets the stream before; the next bytes are the first of a reply.
  void restart();
  /// Takes body bytes read at `now_ns`. With `counts` null they are only followed.
  void feed(std::string_view bytes, std::int64_t now_ns, StreamCounts* counts);
  /// The reply has ended: what is missing of `expected` deltas was lost.
  void finish(std::uint64_t expected, StreamCounts* counts) const;
  [[nodiscard]] bool saw_delta() const { return next_ > 0; }
  /// The dialect's own end has come (`[DONE]`, `message_stop`).
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  void event(std::string_view text, std::int64_t now_ns, StreamCounts* counts);
  void delta(const Stamp& stamp, std::int64_t now_ns, StreamCounts& counts);

  std::string rest_;                 // an event that a read has cut
  std::uint64_t next_ = 0;           // the sequence number due
  std::set<std::uint64_t> missing_;  // counted as lost, unless they come later
  Stamp before_;
  std::int64_t before_read_ns_ = 0;
  bool complete_ = false;
};

}  // namespace tollgate::bench
