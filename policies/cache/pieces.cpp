#include "policies/cache/pieces.hpp"

#include <algorithm>

namespace tollgate::cache {
namespace {

bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// At most `bytes` of the text, cut between characters.
std::string_view head_of(std::string_view text, std::size_t bytes) {
  std::size_t end = std::min(text.size(), bytes);
  while (end > 0 && end < text.size() && goes_on(text[end]))
    --end;
  if (end > 0) return text.substr(0, end);
  end = std::min<std::size_t>(1, text.size());
  while (end < text.size() && goes_on(text[end]))
    ++end;
  return text.substr(0, end);
}

/// The text of an event that comes in pieces; nullptr: it does not.
std::string_view* text_of(StreamEvent& event) {
  if (auto* text = std::get_if<TextDelta>(&event)) return &text->text;
  if (auto* refusal = std::get_if<RefusalDelta>(&event)) return &refusal->text;
  if (auto* thought = std::get_if<ReasoningDelta>(&event)) return &thought->text;
  if (auto* tool = std::get_if<ToolDelta>(&event)) return &tool->arguments;
  return nullptr;
}

/// What only the last piece may say.
void take_signature(StreamEvent& event) {
  if (auto* thought = std::get_if<ReasoningDelta>(&event)) {
    thought->signature = {};
    thought->redacted = {};
  } else if (auto* tool = std::get_if<ToolDelta>(&event)) {
    tool->signature = {};
  }
}

/// What only the first may.
void take_name(StreamEvent& event) {
  if (auto* tool = std::get_if<ToolDelta>(&event)) {
    tool->id = {};
    tool->name = {};
  }
}

}  // namespace

bool ReplyPieces::next(Batch& out) {
  if (at_ == events_.size()) return false;
  out.hold(block_);
  while (at_ < events_.size()) {
    if (push_piece(events_[at_], out)) return true;
  }
  return true;
}

/// True: a piece of text was given, and that is enough for now.
bool ReplyPieces::push_piece(const StreamEvent& event, Batch& out) {
  StreamEvent piece = event;
  std::string_view* const text = text_of(piece);
  if (text == nullptr) {
    ++at_;
    out.push(piece);
    return false;
  }
  const std::string_view rest = text->substr(given_);
  *text = head_of(rest, bytes_);
  const bool last = text->size() == rest.size();
  if (given_ > 0) take_name(piece);
  if (!last) take_signature(piece);
  given_ = last ? 0 : given_ + text->size();
  if (last) ++at_;
  const bool any = !text->empty();
  out.push(piece);
  return any;
}

}  // namespace tollgate::cache
