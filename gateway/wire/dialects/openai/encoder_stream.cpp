// The stream as a whole: relayed frames go out as their bytes, the others as rendered chunks; then
// [DONE], once, or the error event.
#include <span>

#include "gateway/wire/dialects/openai/chunks.hpp"
#include "gateway/wire/dialects/openai/openai.hpp"

namespace tollgate::wire::openai {
namespace {

constexpr std::string_view done_frame = "data: [DONE]\n\n";

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

/// True for a provider's [DONE], however it spaces it.
bool is_done(std::string_view wire) {
  constexpr std::size_t longest = 64;
  return wire.size() <= longest && wire.find("[DONE]") != std::string_view::npos &&
         wire.find('{') == std::string_view::npos;
}

/// What `wire` lacks to end in a blank line: providers forget it at the end of the stream, and what
/// comes behind would be glued to their last line.
std::string_view missing_end(std::string_view wire) {
  if (wire.empty() || !is_line_end(wire.back())) return "\n\n";
  wire.remove_suffix(wire.ends_with("\r\n") ? 2 : 1);
  // A blank line alone is whole already.
  return wire.empty() || is_line_end(wire.back()) ? "" : "\n";
}

/// True when `choices` is there with something in it.
bool has_choices(std::string_view wire) {
  constexpr std::string_view name = "\"choices\"", blank = " \t\r\n";
  const std::size_t at = wire.find(name);
  if (at == std::string_view::npos) return false;
  wire.remove_prefix(at + name.size());
  for (const char expected : {':', '['}) {
    const std::size_t next = wire.find_first_not_of(blank);
    if (next == std::string_view::npos || wire[next] != expected) return false;
    wire.remove_prefix(next + 1);
  }
  const std::size_t next = wire.find_first_not_of(blank);
  return next != std::string_view::npos && wire[next] != ']';
}

bool tells_only_usage(std::span<const StreamEvent> events) {
  bool usage = false;
  for (const StreamEvent& event : events) {
    if (std::holds_alternative<UsageEvent>(event)) {
      usage = true;
    } else if (!std::holds_alternative<Started>(event)) {
      return false;
    }
  }
  return usage;
}

NanoUsd cost_in(std::span<const StreamEvent> events) {
  NanoUsd cost = -1;
  for (const StreamEvent& event : events) {
    if (const auto* usage = std::get_if<UsageEvent>(&event)) cost = usage->cost;
  }
  return cost;
}

std::span<const StreamEvent> events_of(const Batch& batch, const Frame& frame) {
  return std::span(batch.events).subspan(frame.first_event, frame.event_count);
}

class StreamEncoder final : public ReplyEncoder {
 public:
  explicit StreamEncoder(const ReplyContext& context)
      : chunks_(context.endpoint == Endpoint::completions ? completion_chunks(context)
                                                          : chat_chunks(context)),
        relay_(context.relay),
        include_usage_(context.include_usage) {}

  void encode(Batch& batch, Pieces& out) override {
    for (const Frame& frame : batch.frames) {
      if (done_) break;
      const auto events = events_of(batch, frame);
      const bool as_it_came = relay_ && !frame.changed && !frame.wire.empty();
      as_it_came ? relay(frame.wire, events, out) : render(events);
    }
    flush(out);
  }

  void finish(Pieces& out) override {
    if (done_) return;
    // What a relay passed on was complete in the provider's eyes; we owe only what we held.
    relay_ ? chunks_->settle(buffer_) : chunks_->complete(buffer_);
    chunks_->usage(buffer_);
    buffer_ += done_frame;
    done_ = true;
    flush(out);
  }

  void fail(const Error& error, Pieces& out) override {
    if (done_) return;
    done_ = true;
    buffer_.append("data: ").append(render_error(error)).append("\n\n");
    flush(out);
  }

 private:
  void render(std::span<const StreamEvent> events) {
    if (buffer_.empty()) buffer_.reserve(usual_size_);
    for (const StreamEvent& event : events)
      chunks_->event(event, buffer_);
  }

  void relay(std::string_view wire, std::span<const StreamEvent> events, Pieces& out) {
    if (!include_usage_ && tells_only_usage(events) && !has_choices(wire)) return;
    if (!relayed_) hand_over(wire, events);
    chunks_->settle(buffer_);
    done_ = is_done(wire);
    if (done_) chunks_->usage(buffer_);
    flush(out);
    end_line(out);
    if (!with_cost(wire, events, out)) out.view(wire);
    owed_end_ = missing_end(wire);
    if (done_) end_line(out);
  }

  /// Splices what the call costs into a relayed usage object that has no such member.
  bool with_cost(std::string_view wire, std::span<const StreamEvent> events, Pieces& out) const {
    constexpr std::string_view name = "\"usage\"", cost = "\"cost\"";
    const NanoUsd nano = include_usage_ ? cost_in(events) : -1;
    const std::size_t usage = nano < 0 ? std::string_view::npos : wire.rfind(name);
    if (usage == std::string_view::npos) return false;
    const std::size_t open = wire.find_first_not_of(" :\t", usage + name.size());
    if (open == std::string_view::npos || wire[open] != '{') return false;
    if (wire.find(cost, open) != std::string_view::npos) return false;
    out.view(wire.substr(0, open + 1));
    out.own("\"cost\":" + usd_text(nano) + ",");
    out.view(wire.substr(open + 1));
    return true;
  }

  /// Tells the renderer what the provider's first chunks say, should a later one be changed.
  void hand_over(std::string_view wire, std::span<const StreamEvent> events) {
    for (const StreamEvent& event : events) {
      if (std::holds_alternative<Started>(event)) chunks_->event(event, buffer_);
    }
    relayed_ = has_choices(wire);
    if (relayed_) chunks_->relayed();
  }

  void end_line(Pieces& out) {
    out.view(owed_end_);
    owed_end_ = {};
  }

  /// Everything rendered so far.
  void flush(Pieces& out) {
    if (buffer_.empty()) return;
    end_line(out);
    usual_size_ = buffer_.size();
    out.own(std::move(buffer_));
    buffer_ = {};
  }

  std::unique_ptr<ChunkRenderer> chunks_;
  std::string buffer_;
  std::string_view owed_end_;  // of a literal
  std::size_t usual_size_ = 0;
  bool relay_, include_usage_;
  bool relayed_ = false, done_ = false;
};

}  // namespace

std::unique_ptr<ReplyEncoder> stream_encoder(const ReplyContext& context) {
  return std::make_unique<StreamEncoder>(context);
}

}  // namespace tollgate::wire::openai
