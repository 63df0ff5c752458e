#include "policies/cache/relayed.hpp"

#include <algorithm>

#include "gateway/wire/json_walk.hpp"
#include "gateway/wire/json_writer.hpp"
#include "policies/cache/packing.hpp"
#include "policies/ledger/archive.hpp"

namespace tollgate::cache {
namespace {

using ledger::ReadArchive;
using ledger::WriteArchive;

/// A frame as it is read again: its text has come apart at its holes.
struct Opened {
  std::uint64_t size = 0;
  bool tells_usage = false;
  struct Hole {
    bool id = false;
    std::uint64_t at = 0;
  };
  std::vector<Hole> holes;
};

template <class Archive, class Frame>
void visit(Archive& archive, Frame& frame) {
  archive(frame.size);
  archive(frame.tells_usage);
  archive.list(frame.holes, [&](auto& hole) {
    archive(hole.id);
    archive(hole.at);
  });
}

bool tells_usage(std::span<const StreamEvent> events) {
  return std::ranges::any_of(events,
                             [](const auto& e) { return std::holds_alternative<UsageEvent>(e); });
}

/// The identity as it stands in JSON.
struct Spelled {
  explicit Spelled(const Identity& identity) : created(std::to_string(identity.created)) {
    wire::append_quoted(id, identity.id);
  }
  std::string id, created;
};

/// Calls `use` with each part of the frame's bytes, `text` and what fills its holes in turn. False:
/// a hole is not in it.
template <class Use>
bool fill(const Opened& frame, std::string_view text, const Spelled& spelled, Use use) {
  std::size_t at = 0;
  for (const Opened::Hole& hole : frame.holes) {
    if (hole.at < at || hole.at > text.size()) return false;
    use(text.substr(at, hole.at - at));
    use(std::string_view(hole.id ? spelled.id : spelled.created));
    at = hole.at;
  }
  use(text.substr(at));
  return true;
}

/// In parts, none of which is copied: who gathers a whole reply asks no more of its frames. All
/// events stand with the last.
bool give_whole(const Opened& frame, std::string_view text, const Spelled& spelled,
                std::span<const StreamEvent> events, Batch& out) {
  std::vector<std::string_view> parts;
  if (!fill(frame, text, spelled, [&](std::string_view part) { parts.push_back(part); })) {
    return false;
  }
  for (std::string_view part : parts) {
    const bool ours = part.data() == spelled.id.data() || part.data() == spelled.created.data();
    out.begin_frame(ours ? out.store(part) : part);
  }
  for (const StreamEvent& event : events)
    out.push(event);
  return true;
}

/// The events of a stream stand with its first frame, but for its usage, which stands where the
/// frames tell it, and its end.
void push_events(std::span<const StreamEvent> events, bool first, bool usage, Batch& out) {
  for (const StreamEvent& event : events) {
    const bool tells = std::holds_alternative<UsageEvent>(event);
    const bool ends = std::holds_alternative<Ended>(event);
    if (tells ? usage : first && !ends) out.push(event);
  }
}

bool give_stream(std::span<const Opened> frames, std::string_view text, const Spelled& spelled,
                 std::span<const StreamEvent> events, Batch& out) {
  std::size_t size = text.size();
  for (const Opened& frame : frames)
    size += frame.holes.size() * std::max(spelled.id.size(), spelled.created.size());
  const auto block = std::make_shared<Block>(size);
  std::vector<std::string_view> wires;
  for (const Opened& frame : frames) {
    const char* const begin = block->data() + block->used();
    const std::string_view part = text.substr(0, frame.size);
    if (!fill(frame, part, spelled, [&](std::string_view bytes) { block->append(bytes); })) {
      return false;
    }
    text.remove_prefix(part.size());
    wires.emplace_back(begin, static_cast<std::size_t>(block->data() + block->used() - begin));
  }
  out.hold(block);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    out.begin_frame(wires[i]);
    push_events(events, i == 0, frames[i].tells_usage, out);
  }
  out.push(Ended{});
  return true;
}

}  // namespace

void RelayRecorder::take(const Batch& batch) {
  for (const Frame& frame : batch.frames) {
    if (given_up_) return;
    take(frame, std::span(batch.events).subspan(frame.first_event, frame.event_count));
  }
}

void RelayRecorder::take(const Frame& frame, std::span<const StreamEvent> events) {
  const bool as_it_came = !frame.changed && (!frame.wire.empty() || events.empty() || stream_);
  if (!as_it_came || text_.size() + frame.wire.size() > bytes_max_) return give_up();
  if (frame.wire.empty()) return;
  Kept kept{.size = 0, .tells_usage = tells_usage(events), .holes = {}};
  if (!find_holes(frame.wire, kept.holes)) return give_up();
  const std::size_t begin = text_.size();
  std::size_t at = 0;
  for (Hole& hole : kept.holes) {
    text_.append(frame.wire, at, hole.at - at);
    at = hole.at + hole.size;
    hole.at = text_.size() - begin;
  }
  text_.append(frame.wire, at);
  kept.size = text_.size() - begin;
  frames_.push_back(std::move(kept));
}

/// False: it cannot be told where in `wire` they stand.
bool RelayRecorder::find_holes(std::string_view wire, std::vector<Hole>& holes) {
  const std::size_t open = wire.find('{');
  if (open == std::string_view::npos) return true;
  wire::JsonMembers members(wire.substr(open));
  while (members.next()) {
    const bool id = members.name() == "id", created = members.name() == "created";
    const wire::JsonKind kind = wire::json_kind(members.value());
    const bool hole =
        (id && kind == wire::JsonKind::string) || (created && kind == wire::JsonKind::number);
    if (!hole) continue;
    const auto at = static_cast<std::size_t>(members.value().data() - wire.data());
    holes.push_back({id, at, members.value().size()});
  }
  return members.rest().data()[-1] == '}';
}

void RelayRecorder::give_up() {
  given_up_ = true;
  text_ = {};
  frames_ = {};
}

std::string RelayRecorder::finish() {
  std::string out;
  if (given_up_ || frames_.empty()) return out;
  // Frames of a stream say the same things again and again.
  const std::string packed = stream_ ? pack(text_) : std::string();
  if (!stream_ || !packed.empty()) {
    WriteArchive archive(out);
    archive(stream_);
    archive.list(frames_, [&](const Kept& frame) { visit(archive, frame); });
    archive(std::string_view(stream_ ? packed : text_));
  }
  give_up();
  return out;
}

bool is_relayed_stream(std::string_view stored) {
  bool stream = false;
  ReadArchive archive(stored);
  archive(stream);
  return stream;
}

bool relay_again(std::string_view stored, std::size_t bytes_max, const Identity& identity,
                 std::span<const StreamEvent> events, Batch& out) {
  ReadArchive archive(stored);
  bool stream = false;
  std::vector<Opened> frames;
  std::string_view text;
  archive(stream);
  archive.list(frames, [&](Opened& frame) { visit(archive, frame); });
  archive(text);
  if (!archive.good() || frames.empty()) return false;
  const Spelled spelled(identity);
  if (!stream) return frames.size() == 1 && give_whole(frames[0], text, spelled, events, out);
  const auto unpacked = unpack(text, bytes_max);
  return unpacked && give_stream(frames, *unpacked, spelled, events, out);
}

}  // namespace tollgate::cache
