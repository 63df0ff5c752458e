#include "bench/stream_watch.hpp"

#include <algorithm>
#include <cstdlib>

namespace tollgate::bench {
namespace {

std::uint64_t not_negative(std::int64_t value) {
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

bool is_end(std::string_view event) {
  return event.find("data: [DONE]") != event.npos || event.find("message_stop") != event.npos;
}

}  // namespace

void StreamWatch::restart() {
  rest_.clear();
  next_ = 0;
  missing_.clear();
  before_ = {};
  before_read_ns_ = 0;
  complete_ = false;
}

void StreamWatch::feed(std::string_view bytes, std::int64_t now_ns, StreamCounts* counts) {
  const std::uint64_t before = counts ? counts->frames : 0;
  if (!rest_.empty()) {
    rest_ += bytes;
    bytes = rest_;
  }
  for (std::size_t end = bytes.find("\n\n"); end != bytes.npos; end = bytes.find("\n\n")) {
    event(bytes.substr(0, end), now_ns, counts);
    bytes.remove_prefix(end + 2);
  }
  if (counts && counts->frames > before + 1) counts->together += counts->frames - before - 1;
  // A copy by way of a new string: `bytes` may lie in `rest_`.
  rest_ = std::string(bytes);
}

void StreamWatch::event(std::string_view text, std::int64_t now_ns, StreamCounts* counts) {
  std::string_view left = text;
  std::uint64_t stamps = 0;
  while (const auto stamp = next_stamp(left)) {
    ++stamps;
    if (counts)
      delta(*stamp, now_ns, *counts);
    else
      next_ = std::max(next_, stamp->sequence + 1);
    before_ = *stamp;
    before_read_ns_ = now_ns;
  }
  if (stamps > 1 && counts) counts->merged += stamps - 1;
  if (stamps == 0 && is_end(text)) complete_ = true;
}

void StreamWatch::delta(const Stamp& stamp, std::int64_t now_ns, StreamCounts& counts) {
  ++counts.frames;
  if (stamp.sequence < next_) {
    ++counts.reordered;
    // It was late, not lost; a repeated one takes nothing off what this stream still misses.
    if (missing_.erase(stamp.sequence) > 0) --counts.lost;
    return;
  }
  counts.lost += stamp.sequence - next_;
  for (; next_ < stamp.sequence; ++next_)
    missing_.insert(next_);
  next_ = stamp.sequence + 1;
  const std::int64_t delay = now_ns - stamp.sent_ns;
  counts.delay.record(not_negative(delay));
  if (delay > counts.late_ns) ++counts.late;
  if (before_read_ns_ != 0) {
    const std::int64_t gap = now_ns - before_read_ns_;
    counts.jitter.record(not_negative(std::abs(gap - (stamp.sent_ns - before_.sent_ns))));
  }
}

void StreamWatch::finish(std::uint64_t expected, StreamCounts* counts) const {
  if (counts && expected > next_) counts->lost += expected - next_;
}

}  // namespace tollgate::bench
