#include "policies/cache/live_reply.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

namespace tollgate::cache {
namespace {

enum class Kind : char { facts, events };

/// Before every frame.
struct Header {
  Kind kind = Kind::events;
  std::uint32_t bytes = 0;
};
constexpr std::size_t header_bytes = 1 + sizeof(std::uint32_t);

std::string unfinished(Kind kind) {
  std::string frame(header_bytes, '\0');
  frame.front() = static_cast<char>(kind);
  return frame;
}

std::string finished(std::string frame) {
  const auto bytes = static_cast<std::uint32_t>(frame.size() - header_bytes);
  std::memcpy(frame.data() + 1, &bytes, sizeof bytes);
  return frame;
}

Header header_of(std::string_view bytes) {
  Header header{.kind = static_cast<Kind>(bytes.front())};
  std::memcpy(&header.bytes, bytes.data() + 1, sizeof header.bytes);
  return header;
}

}  // namespace

std::string live_facts(const ReplyFacts& facts) {
  std::string frame = unfinished(Kind::facts);
  write_facts(frame, facts);
  return finished(std::move(frame));
}

std::string live_events(const Batch& batch, std::span<const StreamEvent> extras) {
  std::string frame = unfinished(Kind::events);
  // First: behind its end a reply says no more.
  for (const StreamEvent& event : extras)
    write_event(frame, event);
  for (const StreamEvent& event : batch.events)
    write_event(frame, event);
  return frame.size() == header_bytes ? std::string() : finished(std::move(frame));
}

void LiveReader::take(const Pieces& bytes) {
  if (done()) {
    parts_.clear();
    at_ = 0;
  }
  parts_.insert(parts_.end(), bytes.parts().begin(), bytes.parts().end());
}

bool LiveReader::next(Batch& out) {
  if (done() || !good_) return false;
  if (!std::exchange(started_, true)) out.push(Started{});
  for (std::size_t given = 0; !done() && good_ && given < bytes_usual;) {
    const Header header = header_of(read(header_bytes, out));
    const std::string_view frame = read(header.bytes, out);
    given += frame.size();
    if (header.kind == Kind::facts) {
      auto reply = read_reply(frame);
      good_ = reply.has_value();
      if (good_) facts_ = std::move(reply->facts);
    } else {
      good_ = read_events(frame, out);
    }
  }
  return good_;
}

/// Where they stand, or a copy of those that two parts share.
std::string_view LiveReader::read(std::size_t bytes, Batch& out) {
  const auto step = [&](std::size_t most) {
    const std::string_view some = parts_[at_].substr(0, most);
    parts_[at_].remove_prefix(some.size());
    if (parts_[at_].empty()) ++at_;
    return some;
  };
  std::string_view first = step(bytes);
  if (first.size() == bytes) return first;
  std::string whole(first);
  while (whole.size() < bytes && !done())
    whole += step(bytes - whole.size());
  whole.resize(bytes);
  return out.store(whole);
}

}  // namespace tollgate::cache
